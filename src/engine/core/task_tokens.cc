#include "engine/task_tokens.h"

#include "engine/errors.h"
#include "engine/namespaces.h"
#include "engine/run_cache.h"

namespace holdfast::engine {

stored::TaskToken TaskTokens::of_run(const Run& run) const {
  stored::TaskToken token;
  token.set_namespace_id(run.key.namespace_id);
  token.set_workflow_id(run.key.workflow_id);
  token.set_run_id(run.key.run_id);
  token.set_epoch(meta_.epoch());
  return token;
}

std::string TaskTokens::of_workflow_task(const Run& run) const {
  const auto& task = run.ms->s().workflow_task();
  stored::TaskToken token = of_run(run);
  token.set_scheduled_event_id(task.scheduled_event_id());
  token.set_started_event_id(task.started_event_id());
  token.set_attempt(task.attempt());
  token.set_started_ns(task.started_ns());
  return history::serialize(token);
}

std::string TaskTokens::of_activity(const Run& run, const stored::ActivityInfo& info) const {
  stored::TaskToken token = of_run(run);
  token.set_scheduled_event_id(info.scheduled_event_id());
  token.set_attempt(info.attempt());
  token.set_started_ns(info.started_ns());
  token.set_activity_id(info.activity_id());
  return history::serialize(token);
}

std::string TaskTokens::of_query(const Run& run, const std::string& query_id) const {
  stored::TaskToken token = of_run(run);
  token.set_query_id(query_id);
  return history::serialize(token);
}

Result<Run*> TaskTokens::run_of(const std::string& bytes, stored::TaskToken* token, Status missing) const {
  if (bytes.empty()) return fail(errors::invalid("Task token not set on request."));
  if (!token->ParseFromString(bytes) || token->namespace_id().empty() || token->workflow_id().empty() ||
      token->run_id().empty()) {
    return fail(errors::invalid("Invalid TaskToken: it was not issued by this server."));
  }
  if (namespaces_.find_by_id(token->namespace_id()) == nullptr) {
    return fail(errors::invalid("Invalid TaskToken: its namespace does not exist here."));
  }
  Run* run = cache_.find({token->namespace_id(), token->workflow_id(), token->run_id()});
  if (run == nullptr) return fail(std::move(missing));
  return run;
}

}  // namespace holdfast::engine
