#include "interop/a2a_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/iso_time.h"
#include "interop/agent_words.h"
#include "interop/json_rpc.h"
#include "interop/questions.h"
#include "spec/written_order.h"

namespace holdfast::interop {

namespace {

struct StateName {
  const char* now;
  const char* old;
};
constexpr std::array<StateName, 6> kStates = {{{"TASK_STATE_SUBMITTED", "submitted"},
                                               {"TASK_STATE_WORKING", "working"},
                                               {"TASK_STATE_INPUT_REQUIRED", "input-required"},
                                               {"TASK_STATE_COMPLETED", "completed"},
                                               {"TASK_STATE_FAILED", "failed"},
                                               {"TASK_STATE_CANCELED", "canceled"}}};

// In which tasks of others may be.
constexpr std::array<StateName, 2> kForeignStates = {
    {{"TASK_STATE_REJECTED", "rejected"}, {"TASK_STATE_AUTH_REQUIRED", "auth-required"}}};

}  // namespace

std::optional<TaskState> A2aWords::state_named(std::string_view name) const {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (name == (is_old_ ? kStates[i].old : kStates[i].now)) return static_cast<TaskState>(i);
  }
  return std::nullopt;
}

bool A2aWords::is_state(std::string_view name) const {
  const auto is_named = [&](const StateName& one) { return name == (is_old_ ? one.old : one.now); };
  return std::ranges::any_of(kStates, is_named) || std::ranges::any_of(kForeignStates, is_named);
}

TaskState task_state(runs::RunStatus status, bool waits_for_approval) {
  switch (status) {
    case runs::RunStatus::kQueued: return TaskState::kSubmitted;
    case runs::RunStatus::kRunning:
      return waits_for_approval ? TaskState::kInputRequired : TaskState::kWorking;
    case runs::RunStatus::kCompleted: return TaskState::kCompleted;
    case runs::RunStatus::kCanceled: return TaskState::kCanceled;
    default: return TaskState::kFailed;
  }
}

Json A2aWords::text_part(std::string_view text) const {
  if (is_old_) return {{"kind", "text"}, {"text", text}};
  return {{"text", text}};
}

Json A2aWords::data_part(Json data) const {
  Json out = Json::object();
  if (is_old_) out["kind"] = "data";
  out["data"] = std::move(data);
  return out;
}

Json A2aWords::artifact(std::string_view text) const {
  return {{"artifactId", "answer"}, {"name", "answer"}, {"parts", Json::array({text_part(text)})}};
}

namespace {

Json may_call(const platform::Approval& approval) {
  return {{"approval", approval.id},
          {"tool", approval.tool},
          {"arguments", parse_or_string<Json>(approval.arguments)},
          {"answers", Json::array({{{"approval", approval.id}, {"decision", "approve"}},
                                   {{"approval", approval.id}, {"decision", "reject"}}})}};
}

// With the schema of what stands in `answer` of the data that answers it.
Json asked(const platform::Approval& approval, const protocol::HumanQuestion& question,
           const std::string& page) {
  Json out = {{"approval", approval.id}, {"tool", approval.tool}, {"question", question.text}};
  if (!takes_data(question)) {
    out["page"] = page;
    return out;
  }
  out["schema"] = spec::as_written(question.form);
  return out;
}

}  // namespace

// What people are asked, in words and as data; and how an answer looks.
Json A2aWords::question(const A2aTask& task) const {
  std::string text;
  Json parts = Json::array();
  for (const platform::Approval& one : task.approvals) {
    if (!text.empty()) text += "\n";
    const auto question = question_of(one);
    text += question ? question->text
                     : fmt::format("May `{}` be called with {}? {}", one.tool, one.arguments, one.reason);
    parts.push_back(data_part(question ? asked(one, *question, task.page) : may_call(one)));
  }
  parts.insert(parts.begin(), text_part(text));
  Json out = {{"messageId", task.id + "-question"},
              {"taskId", task.id},
              {"contextId", task.context},
              {"role", is_old_ ? "agent" : "ROLE_AGENT"},
              {"parts", std::move(parts)}};
  if (is_old_) out["kind"] = "message";
  return out;
}

Json A2aWords::status(const A2aTask& task, WallTime now) const {
  const StateName& name = kStates[static_cast<std::size_t>(task.state)];
  Json out = {{"state", is_old_ ? name.old : name.now}, {"timestamp", iso_time(task.ended_at.value_or(now))}};
  if (task.state == TaskState::kInputRequired && !task.approvals.empty()) out["message"] = question(task);
  if (task.state == TaskState::kFailed && !task.text.empty()) {
    out["message"] = {{"messageId", task.id + "-failure"},
                      {"taskId", task.id},
                      {"contextId", task.context},
                      {"role", is_old_ ? "agent" : "ROLE_AGENT"},
                      {"parts", Json::array({text_part(task.text)})}};
    if (is_old_) out["message"]["kind"] = "message";
  }
  return out;
}

Json A2aWords::task(const A2aTask& task, WallTime now) const {
  Json out = {{"id", task.id}, {"contextId", task.context}, {"status", status(task, now)}};
  if (!task.text.empty() && task.state != TaskState::kFailed)
    out["artifacts"] = Json::array({artifact(task.text)});
  if (is_old_) out["kind"] = "task";
  return out;
}

Json A2aWords::sent(Json task) const {
  if (is_old_) return task;
  Json out = Json::object();
  out["task"] = std::move(task);
  return out;
}

Json A2aWords::event(std::string_view name, std::string_view old_kind, Json body) const {
  if (is_old_) {
    body["kind"] = old_kind;
    return body;
  }
  Json out = Json::object();
  out[std::string(name)] = std::move(body);
  return out;
}

Json A2aWords::status_update(const A2aTask& task, WallTime now) const {
  Json body = {{"taskId", task.id}, {"contextId", task.context}, {"status", status(task, now)}};
  if (is_old_) body["final"] = is_terminal(task.state) || task.state == TaskState::kInputRequired;
  return event("statusUpdate", "status-update", std::move(body));
}

Json A2aWords::artifact_update(const A2aTask& task, std::string_view text, bool append, bool last) const {
  return event("artifactUpdate", "artifact-update",
               {{"taskId", task.id},
                {"contextId", task.context},
                {"artifact", artifact(text)},
                {"append", append},
                {"lastChunk", last}});
}

// What both versions read: each passes over what the other one has more.
Json card_json(const A2aCard& card) {
  Json skills = Json::array();
  for (const platform::Definition& one : card.agents) {
    skills.push_back({{"id", one.name},
                      {"name", one.name},
                      {"description", description_of(one)},
                      {"tags", Json::array({"agent"})}});
  }
  const Json text = Json::array({"text/plain"});
  Json out = {
      {"name", card.name},
      {"description", card.description},
      {"version", card.version},
      {"supportedInterfaces",
       Json::array({{{"url", card.url}, {"protocolBinding", "JSONRPC"}, {"protocolVersion", "1.0"}},
                    {{"url", card.url}, {"protocolBinding", "JSONRPC"}, {"protocolVersion", "0.3"}}})},
      {"url", card.url},
      {"preferredTransport", "JSONRPC"},
      {"protocolVersion", "0.3.0"},
      {"capabilities", {{"streaming", true}, {"pushNotifications", false}}},
      {"defaultInputModes", text},
      {"defaultOutputModes", text},
      {"skills", std::move(skills)}};
  if (!card.closed) return out;
  out["securitySchemes"] = {{"bearer", {{"httpAuthSecurityScheme", {{"scheme", "Bearer"}}}}}};
  out["securityRequirements"] = Json::array({{{"schemes", {{"bearer", {{"list", Json::array()}}}}}}});
  return out;
}

A2aSaid said_in(const Json& message) {
  A2aSaid out;
  const auto parts = message.find("parts");
  if (parts == message.end() || !parts->is_array()) {
    out.understood = false;
    return out;
  }
  for (const Json& part : *parts) {
    if (part.is_object() && part.contains("text") && part["text"].is_string()) {
      out.text += (out.text.empty() ? "" : "\n") + part["text"].get<std::string>();
    } else if (part.is_object() && part.contains("data") && out.data.is_null()) {
      out.data = part["data"];
    } else {
      out.understood = false;
    }
  }
  return out;
}

}  // namespace holdfast::interop
