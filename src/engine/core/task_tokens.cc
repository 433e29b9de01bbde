#include "engine/task_tokens.h"

#include <string_view>

#include "base/sha256.h"
#include "engine/errors.h"
#include "engine/namespaces.h"
#include "engine/run_cache.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace {

// The field `mac` as it stands at the end of a token: its tag, its length, half of the code.
constexpr std::size_t kMacBytes = 16;
constexpr std::string_view kMacField("\x5a\x10", 2);
static_assert(kMacField[0] == (stored::TaskToken::kMacFieldNumber << 3 | 2) && kMacField[1] == kMacBytes);

}  // namespace

std::string TaskTokens::mac_of(std::string_view body) const {
  return hmac_sha256(meta_.token_key(), body).substr(0, kMacBytes);
}

std::string TaskTokens::signed_bytes(const stored::TaskToken& token) const {
  std::string bytes = history::serialize(token);
  const std::string mac = mac_of(bytes);
  return bytes.append(kMacField).append(mac);
}

bool TaskTokens::is_ours(std::string_view bytes, const stored::TaskToken& token) const {
  if (token.mac().empty()) {
    // Of an earlier build, which did not sign. The task that it names has to have been started then: the
    // handlers compare the moment with the task's own.
    return token.started_ns() != 0 && token.started_ns() < meta_.token_key_ns();
  }
  if (bytes.size() <= kMacField.size() + kMacBytes) return false;
  const std::string_view body = bytes.substr(0, bytes.size() - kMacField.size() - kMacBytes);
  return bytes.substr(body.size(), kMacField.size()) == kMacField &&
         equal_in_constant_time(bytes.substr(body.size() + kMacField.size()), mac_of(body));
}

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
  return signed_bytes(token);
}

std::string TaskTokens::of_activity(const Run& run, const stored::ActivityInfo& info) const {
  stored::TaskToken token = of_run(run);
  token.set_scheduled_event_id(info.scheduled_event_id());
  token.set_attempt(info.attempt());
  token.set_started_ns(info.started_ns());
  token.set_activity_id(info.activity_id());
  return signed_bytes(token);
}

std::string TaskTokens::of_query(const Run& run, const std::string& query_id) const {
  stored::TaskToken token = of_run(run);
  token.set_query_id(query_id);
  return signed_bytes(token);
}

Result<Run*> TaskTokens::run_of(const std::string& bytes, const std::string& namespace_name,
                                stored::TaskToken* token, Status missing) const {
  if (bytes.empty()) return fail(errors::invalid("Task token not set on request."));
  const auto* named = namespace_name.empty() ? nullptr : namespaces_.find(namespace_name);
  if (!namespace_name.empty() && named == nullptr) return fail(errors::namespace_not_found(namespace_name));
  if (!token->ParseFromString(bytes) || token->namespace_id().empty() || token->workflow_id().empty() ||
      token->run_id().empty() || !is_ours(bytes, *token)) {
    return fail(errors::invalid("Error deserializing task token. It was not issued by this server."));
  }
  if (namespaces_.find_by_id(token->namespace_id()) == nullptr)
    return fail(errors::namespace_not_found(token->namespace_id()));
  if (named != nullptr && named->id() != token->namespace_id())
    return fail(errors::invalid("Operation requested with a token from a different namespace."));
  auto run = cache_.load({token->namespace_id(), token->workflow_id(), token->run_id()});
  if (run && *run == nullptr) return fail(std::move(missing));
  return run;
}

bool TaskTokens::holds_workflow_task(const Run& run, const stored::TaskToken& token) {
  using history::workflow_task::State;
  const auto& task = run.ms->s().workflow_task();
  return run.ms->running() && history::workflow_task::state_of(*run.ms) == State::kStarted &&
         task.scheduled_event_id() == token.scheduled_event_id() && task.attempt() == token.attempt() &&
         task.started_ns() == token.started_ns();
}

const stored::ActivityInfo* TaskTokens::held_activity(const Run& run, const stored::TaskToken& token) {
  const auto* info = run.ms->running() ? run.ms->activity(token.scheduled_event_id()) : nullptr;
  const bool held = info != nullptr && info->started_ns() != 0 && info->attempt() == token.attempt() &&
                    info->started_ns() == token.started_ns();
  return held ? info : nullptr;
}

}  // namespace holdfast::engine
