#pragma once

// TaskTokens: what a worker holds of a task, and hands back with its answer (stored.TaskToken). The bytes
// mean nothing outside this store: they name the run, the attempt, and the epoch of the store that issued
// them, and are signed with the store's key. Pure but for the cache; the core owns it; its thread only.

#include <string>
#include <string_view>

#include "engine/core.h"
#include "engine/run.h"
#include "history/stored.h"
#include "holdfast/status.h"

namespace holdfast::engine {

class Namespaces;
class RunCache;

class TaskTokens {
 public:
  TaskTokens(const stored::StoreMeta& meta, const Namespaces& namespaces, RunCache& cache)
      : meta_(meta), namespaces_(namespaces), cache_(cache) {}

  std::string of_workflow_task(const Run& run) const;
  std::string of_activity(const Run& run, const stored::ActivityInfo& info) const;
  std::string of_query(const Run& run, const std::string& query_id) const;

  // The run that a token names; `missing` when it is not there. The namespace that the request names, if it
  // does, has to be the token's. Whether the attempt is the current one is the caller's to ask.
  Result<Run*> run_of(const std::string& bytes, const std::string& namespace_name, stored::TaskToken* token,
                      Status missing) const;
  // Whether the token is of the attempt that somebody holds now, by its number and the moment it started. Of
  // an activity: that one, or null.
  static bool holds_workflow_task(const Run& run, const stored::TaskToken& token);
  static const stored::ActivityInfo* held_activity(const Run& run, const stored::TaskToken& token);
  // Who holds a task that this caller takes: a worker that dies with this process (its epoch), or a remote
  // one (0).
  std::int64_t holder_epoch(const Call& call) const {
    return call.options.in_process_workflow_worker ? meta_.epoch() : 0;
  }

 private:
  stored::TaskToken of_run(const Run& run) const;
  std::string mac_of(std::string_view body) const;
  std::string signed_bytes(const stored::TaskToken& token) const;
  bool is_ours(std::string_view bytes, const stored::TaskToken& token) const;

  const stored::StoreMeta& meta_;
  const Namespaces& namespaces_;
  RunCache& cache_;
};

}  // namespace holdfast::engine
