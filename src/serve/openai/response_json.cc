#include "openai/response_json.h"

#include <fmt/format.h>

#include <chrono>

#include "base/json.h"
#include "openai/ids.h"
#include "openai/request.h"
#include "platform/run_rules.h"

namespace holdfast::openai {

namespace {

using runs::RunStatus;

// The agent's own tools, whatever their types: they are called here, and not by the client.
constexpr std::string_view kServer = "holdfast";

std::string_view state_name(Item::State state) {
  switch (state) {
    case Item::State::kOpen: return "in_progress";
    case Item::State::kDone: return "completed";
    case Item::State::kFailed: return "failed";
    case Item::State::kCut:
    case Item::State::kDropped: return "incomplete";
  }
  return "incomplete";
}

Json message_json(const Item& item) {
  Json content = Json::array();
  if (item.state != Item::State::kDropped)
    content.push_back({{"type", "output_text"},
                       {"text", item.text},
                       {"annotations", Json::array()},
                       {"logprobs", Json::array()}});
  Json phase = nullptr;
  if (item.state == Item::State::kDone) phase = item.is_last ? "final_answer" : "commentary";
  return {{"type", "message"}, {"role", "assistant"}, {"content", std::move(content)}, {"phase", phase}};
}

Json call_json(const Item& item) {
  const bool failed = item.state == Item::State::kFailed;
  return {{"type", "mcp_call"},
          {"server_label", kServer},
          {"name", item.name},
          {"arguments", item.arguments},
          {"output", item.state == Item::State::kDone ? Json(item.text) : Json(nullptr)},
          {"error", failed ? Json(item.text) : Json(nullptr)},
          {"approval_request_id", nullptr}};
}

Json approval_json(const Item& item) {
  return {{"type", "mcp_approval_request"},
          {"server_label", kServer},
          {"name", item.name},
          {"arguments", item.arguments},
          {"reason", item.reason},
          {"decision", item.decided.empty() ? Json(nullptr) : Json(item.decided)}};
}

Json error_of(const RunFold& run) {
  const RunStatus status = run.status();
  if (!run.has_ended() || status == RunStatus::kCompleted || status == RunStatus::kCanceled) return nullptr;
  return {{"code", run.reason().empty() ? "server_error" : run.reason()}, {"message", run.error()}};
}

std::int64_t tokens(const Json& usage, const char* name) {
  return usage.value(name, std::int64_t{0});
}

}  // namespace

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

ResponseHead response_head(const platform::RunRecord& run, const std::string& settings,
                           const std::string& public_url) {
  ResponseHead head;
  head.run = run.run;
  head.agent = head.model = run.agent;
  head.version = run.definition_hash;
  head.conversation = platform::rules::conversation_of(run);
  head.created_at = run.created_at;
  head.page = public_url + "/runs/" + run.run;
  const Json all = settings.empty() ? Json::object() : parse_json<Json>(settings);
  if (!all.is_object() || !all.contains(kKept) || !all[kKept].is_object()) return head;
  const Json& kept = all[kKept];
  head.model = kept.value("model", head.model);
  head.background = kept.value("background", false);
  head.store = kept.value("store", true);
  head.instructions = kept.value("instructions", "");
  head.previous = kept.value("previous_response_id", "");
  head.metadata = kept.value("metadata", Json::object());
  // A run that was made from this one may stand in another conversation.
  if (kept.contains(kHistory) && kept[kHistory].value("of", "") == head.conversation)
    head.history = kept[kHistory].value("turns", std::size_t{0});
  return head;
}

std::string_view response_status(const ResponseHead& head, const RunFold& run) {
  switch (run.status()) {
    case RunStatus::kQueued: return head.background ? "queued" : "in_progress";
    case RunStatus::kRunning: return "in_progress";
    case RunStatus::kCompleted: return run.limit().empty() ? "completed" : "incomplete";
    case RunStatus::kCanceled: return "cancelled";
    default: return "failed";
  }
}

std::string item_id(const ResponseHead& head, const Item& item, std::size_t at) {
  switch (item.kind) {
    case Item::Kind::kMessage: return fmt::format("msg_{}_{}", head.run, at);
    case Item::Kind::kCall: return fmt::format("mcp_{}_{}", head.run, at);
    case Item::Kind::kApproval: return "mcpr_" + item.approval;
  }
  return {};
}

Json item_json(const ResponseHead& head, const Item& item, std::size_t at) {
  Json out = {{"id", item_id(head, item, at)}};
  if (item.kind != Item::Kind::kApproval) out["status"] = state_name(item.state);
  switch (item.kind) {
    case Item::Kind::kMessage: out.update(message_json(item)); break;
    case Item::Kind::kCall: out.update(call_json(item)); break;
    case Item::Kind::kApproval: out.update(approval_json(item)); break;
  }
  return out;
}

Json response_usage(const Json& usage) {
  if (!usage.is_object()) return nullptr;
  const std::int64_t in = tokens(usage, "input_tokens");
  const std::int64_t out = tokens(usage, "output_tokens");
  return {{"input_tokens", in},
          {"input_tokens_details", {{"cached_tokens", tokens(usage, "cached_input_tokens")}}},
          {"output_tokens", out},
          {"output_tokens_details", {{"reasoning_tokens", tokens(usage, "reasoning_tokens")}}},
          {"total_tokens", in + out}};
}

Json holdfast_json(const ResponseHead& head, const RunFold& run) {
  return {{"run", head.run},
          {"agent", head.agent},
          {"version", head.version},
          {"conversation", head.conversation},
          {"waiting_on", run.waiting_on().empty() ? Json(nullptr) : Json(run.waiting_on())},
          {"page", head.page}};
}

Json response_json(const ResponseHead& head, const RunFold& run) {
  const std::string_view status = response_status(head, run);
  Json output = Json::array();
  for (std::size_t i = 0; i < run.items().size(); ++i) output.push_back(item_json(head, run.items()[i], i));
  Json incomplete = nullptr;
  if (status == "incomplete") incomplete = {{"reason", run.limit()}};
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"id", response_id(head.run)},
          {"object", "response"},
          {"created_at", unix_seconds(head.created_at)},
          {"completed_at", run.ended_at() ? Json(unix_seconds(*run.ended_at())) : Json(nullptr)},
          {"status", status},
          {"background", head.background},
          {"error", error_of(run)},
          {"incomplete_details", std::move(incomplete)},
          {"instructions", text_or_null(head.instructions)},
          {"model", head.model},
          {"output", std::move(output)},
          {"previous_response_id", text_or_null(head.previous)},
          {"conversation", head.store ? Json{{"id", head.conversation}} : Json(nullptr)},
          {"metadata", head.metadata},
          {"usage", response_usage(run.usage())},
          {"store", head.store},
          {"parallel_tool_calls", true},
          {"tool_choice", "auto"},
          {"tools", Json::array()},
          {"text", {{"format", {{"type", "text"}}}}},
          {"truncation", "disabled"},
          {"reasoning", nullptr},
          {"temperature", nullptr},
          {"top_p", nullptr},
          {"max_output_tokens", nullptr},
          {"max_tool_calls", nullptr},
          {"service_tier", "default"},
          {"safety_identifier", nullptr},
          {"prompt_cache_key", nullptr},
          {"user", nullptr},
          {"holdfast", holdfast_json(head, run)}};
}

}  // namespace holdfast::openai
