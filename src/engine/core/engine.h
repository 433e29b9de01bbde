#pragma once

// Engine: the embedded engine as a Connection. Owns an engine thread that runs the core and a committer
// thread that syncs its batches and lets their answers go: while one batch is syncing the core works on the
// next. app owns it; it must be destroyed before the store, clock, random and index it was given.
//
// Failure: a commit that fails ends the process at once (law 3): what the disk holds is unknown.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "api/connection.h"
#include "engine/options.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::visibility {
class Index;
}
namespace holdfast {
class MemoryBudget;
}

namespace holdfast::engine {

struct EngineOptions {
  CoreOptions core;
  // How long a batch waits for the completions of workflow tasks that are out early, so that a step costs one
  // sync.
  std::int64_t early_wait_us = 500;
  // The same for a batch that nobody waits for: in all.
  std::int64_t unawaited_wait_us = 200'000;
  // What calls of this process that wait for the engine thread draw on, besides EngineLimits::inbox_bytes;
  // outlives the engine. None: that alone.
  MemoryBudget* memory = nullptr;
  // A run is no more, durably. On the committer's thread: it must not block.
  std::function<void(const std::string& namespace_name, const std::string& workflow_id)> on_deleted;
  // A batch is durable: what it took, and how many answers it let go. On the committer's thread: it must not
  // block.
  std::function<void(std::chrono::nanoseconds took, std::size_t answers)> on_commit;
  // Called with a message when the process is about to end because a commit failed, because the store
  // cannot be read any more, or because an exception reached the end of a thread of the engine; then
  // _exit(70).
  std::function<void(const std::string&)> on_fatal;
};

struct EngineLoad {
  std::uint64_t calls = 0;  // that came, since it was opened
  std::size_t inbox_bytes = 0;
  std::size_t executions = 0;  // in memory
};

class Engine final : public api::Connection {
 public:
  // `index` may be null: lists then answer kUnimplemented.
  static Result<std::unique_ptr<Engine>> open(EngineOptions options, store::KvStore& store,
                                              const Clock& clock, Random& random, visibility::Index* index);
  // Answers what is parked with kUnavailable, commits what was accepted, stops the threads.
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Thread-safe. The request is consumed; messages are moved, never serialised.
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request,
                                         api::CallOptions options, api::Completion done) override;

  std::int64_t epoch() const;

  // As it was when the engine thread last had something to do. Never blocks.
  EngineLoad load() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::engine
