#include "platform/audit_rules.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/sha256.h"

namespace holdfast::platform::rules {

namespace {

using Json = nlohmann::json;

AuditRow row_of(std::string_view action, std::string_view run, std::string_view actor, const Json& detail) {
  AuditRow out;
  out.actor = actor.empty() ? kServerActor : actor;
  out.action = action;
  out.subject = run;
  out.detail = dump_json(detail);
  return out;
}

void put(Json& into, const char* name, const std::string& text) {
  if (!text.empty()) into[name] = text;
}

}  // namespace

AuditRow audit_of_start(const RunBegan& began) {
  Json detail = {{"agent", began.agent},
                 {"version", began.version},
                 {"input_sha256", began.input_sha256},
                 {"conversation", began.conversation.empty() ? began.run : began.conversation}};
  put(detail, "environment", began.environment);
  put(detail, "parent", began.parent);
  return row_of(kRunStarted, began.run, began.by, detail);
}

AuditRow audit_of_end(const Bill& bill, const std::optional<RunSaid>& said) {
  Json detail = {{"agent", bill.agent}, {"version", bill.version}, {"status", bill.status}};
  put(detail, "error_type", bill.error_type);
  if (said) {
    detail["conversation"] = said->last.conversation;
    detail["branch"] = said->last.branch;
    detail["first"] = said->first;
    detail["last"] = said->last.sequence;
    detail["sha256"] = said->last.sha256;
  }
  return row_of(kRunEnded, bill.run, actor_of_agent(bill.agent), detail);
}

AuditRow audit_of_message(std::string_view run, std::string_view id, std::string_view by,
                          std::string_view text) {
  return row_of(kRunMessage, run, by, {{"message", id}, {"text_sha256", sha256_hex(text)}});
}

AuditRow audit_of_request(std::string_view action, std::string_view run, std::string_view by,
                          std::string_view reason, std::string_view version) {
  Json detail = Json::object();
  put(detail, "reason", std::string(reason));
  put(detail, "version", std::string(version));
  return row_of(action, run, by.empty() ? kLocalActor : by, detail);
}

AuditRow audit_of_raise(const Raise& raise) {
  Json detail = Json::object();
  const auto note = [&detail](const char* name, const std::optional<std::int64_t>& limit) {
    if (limit) detail[name] = *limit;
  };
  note("tokens", raise.limits.tokens);
  note("money_nanos", raise.limits.money);
  note("calls", raise.limits.calls);
  note("tool_calls", raise.limits.tool_calls);
  note("depth", raise.limits.depth);
  if (raise.wall_time) detail["wall_time_ms"] = raise.wall_time->count();
  return row_of(kBudgetRaised, raise.run, raise.by.empty() ? kLocalActor : std::string_view(raise.by), detail);
}

std::string actor_of_agent(std::string_view agent) {
  return agent.empty() ? std::string(kServerActor) : "agent:" + std::string(agent);
}

std::string actor_of_tool(std::string_view tool) {
  return "tool:" + std::string(tool);
}

}  // namespace holdfast::platform::rules
