#pragma once

// EngineUnderFuzz: an engine core over a store in memory, with a clock that stands still until told and
// numbers that are always the same, so that an input does the same each time. Owner: one run of a target.

#include <memory>
#include <string>

#include "engine/core.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "sim/memory_store.h"

namespace holdfast::fuzz {

class EngineUnderFuzz {
 public:
  EngineUnderFuzz();

  // A process begins, on what the last one left; it ends as SIGKILL ends it.
  Status open();
  // What a server makes of the bytes of a request: they are parsed, and the engine is asked.
  void call(api::Method method, const std::string& bytes);
  // The same, and what was answered; nothing: parked, or refused.
  api::MessagePtr ask(api::Method method, const google::protobuf::Message& request);
  void advance(std::int64_t ns);
  void commit();

  // A workflow in the middle of things: an activity that a worker has, one that nobody has, a timer, a child,
  // a signal, a task of the workflow that a worker has.
  void begin_workflow();
  std::string workflow_token;
  std::string activity_token;

  sim::MemoryStore store;

 private:
  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  std::unique_ptr<engine::EngineCore> core_;
};

}  // namespace holdfast::fuzz
