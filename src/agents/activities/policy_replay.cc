#include "activities/policy_replay.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "activities/builtin_tools.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/json_member.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

std::optional<std::int64_t> time_of(const Json& json) {
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (!json.is_string()) return std::nullopt;
  const auto time = parse_iso_time(json.get<std::string>());
  if (!time) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count();
}

Result<PlayedCall> call_of_line(std::string_view line) {
  auto json = read_json(line, kMaxJsonDepth, Integers::kExact);
  if (!json) return fail(json.error());
  if (!json->is_object() || !json->contains("tool") || !(*json)["tool"].is_string() ||
      !json->contains("args") || !(*json)["args"].is_object())
    return fail(Code::kInvalidArgument,
                "a call is {\"tool\": NAME, \"args\": {...}}, perhaps with run, at, ok, ruling");
  for (const auto& [key, value] : json->items()) {
    static constexpr std::string_view kKeys[] = {"run", "tool", "args", "at", "ok", "ruling"};
    if (std::ranges::find(kKeys, key) == std::end(kKeys))
      return fail(Code::kInvalidArgument,
                  fmt::format("`{}` is not known; there are run, tool, args, at, ok, ruling", key));
  }
  PlayedCall out;
  out.tool = (*json)["tool"];
  out.arguments = (*json)["args"];
  out.ok = true;
  if (const auto at = json->find("at"); at != json->end()) {
    const auto ms = time_of(*at);
    if (!ms) return fail(Code::kInvalidArgument, "`at` is a time such as \"2026-05-17T12:00:00Z\"");
    out.at_ms = *ms;
  }
  out.ended_ms = std::max<std::int64_t>(out.at_ms, 1);
  if (const auto ok = json->find("ok"); ok != json->end()) {
    if (!ok->is_boolean()) return fail(Code::kInvalidArgument, "`ok` is true or false");
    out.ok = *ok;
  }
  for (auto [key, to] : {std::pair{"run", &out.run}, {"ruling", &out.ruling}}) {
    const auto found = json->find(key);
    if (found == json->end()) continue;
    if (!found->is_string()) return fail(Code::kInvalidArgument, fmt::format("`{}` is a text", key));
    *to = *found;
  }
  if (!out.ruling.empty() && out.ruling != "allow" && out.ruling != "ask" && out.ruling != "deny")
    return fail(Code::kInvalidArgument, "`ruling` is allow, ask or deny");
  return out;
}

}  // namespace

bool was_made(const PlayedCall& call) {
  return call.ruling != "deny" && (call.ended_ms > 0 || call.ruling.empty() || call.ruling == "allow");
}

std::vector<PlayedRuling> play_policy(const AgentDefinition& agent, const std::vector<PlayedCall>& calls) {
  std::vector<PlayedRuling> out;
  std::map<std::string, std::map<std::string, std::vector<MadeCall>>> made;  // by run and tool
  for (const PlayedCall& call : calls) {
    PolicyFacts facts;
    facts.now_ms = call.at_ms;
    facts.calls = [&](const std::string& tool) -> std::expected<std::vector<MadeCall>, std::string> {
      return made[call.run][tool];
    };
    PlayedRuling played;
    const ToolSpec* tool = tool_named(agent, call.tool);
    played.ruling = tool ? ruling_of(agent, *tool, call.arguments, facts)
                         : check_policy(agent.approvals, call.tool, call.arguments, facts);
    played.differs = !call.ruling.empty() && call.ruling != to_string(played.ruling.action);
    out.push_back(std::move(played));
    if (was_made(call))
      made[call.run][call.tool].push_back({call.tool, call.arguments, call.at_ms, call.ended_ms, call.ok});
  }
  return out;
}

Result<std::vector<PlayedCall>> read_calls(std::string_view text) {
  std::vector<PlayedCall> out;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (out.size() >= kMaxReplayedCalls)
      return fail(Code::kInvalidArgument, fmt::format("more than {} calls", kMaxReplayedCalls));
    auto call = call_of_line(line);
    if (!call)
      return fail(Code::kInvalidArgument, fmt::format("line {}: {}", number, call.error().message()));
    out.push_back(std::move(*call));
  }
  return out;
}

// Calls that are not refused get the numbers behind the model's, in their order.
void CallsOfEvents::said(std::int64_t step, std::int64_t at_ms, const Json& data) {
  const auto calls = data.find("tool_calls");
  if (calls == data.end() || !calls->is_array()) return;
  std::uint32_t ordinal = 0;
  for (const Json& one : *calls) {
    PlayedCall call;
    call.ordinal = ordinal++;
    const std::string verdict = string_member(one, "verdict");
    if (verdict == "invalid") continue;
    call.run = run_;
    call.tool = string_member(one, "name");
    call.at_ms = at_ms;
    call.ruling = verdict == "judge" ? "allow" : verdict;
    call.message = static_cast<std::uint64_t>(integer_member(data, "message").value_or(0));
    const std::string text = string_member(one, "arguments");
    call.arguments = parse_json(text.empty() ? "{}" : text);
    call.whole = call.arguments.is_object();
    if (verdict != "deny") by_step_[++step] = calls_.size();
    calls_.push_back(std::move(call));
  }
}

// No message holds it, so nothing but the log knows where it stands.
void CallsOfEvents::made_by_code(std::int64_t step, const Json& data) {
  PlayedCall call;
  call.run = run_;
  call.tool = string_member(data, "name");
  const std::string text = string_member(data, "arguments");
  call.arguments = parse_json(text.empty() ? "{}" : text);
  call.whole = call.arguments.is_object();
  by_step_[step] = calls_.size();
  calls_.push_back(std::move(call));
}

void CallsOfEvents::apply(std::string_view type, std::int64_t at_ms, const Json& data) {
  const auto number = data.find("step");  // of pieces of text it is a name
  if (number == data.end() || !number->is_number_integer()) return;
  const auto step = number->get<std::int64_t>();
  if (type == protocol::event::kStepCompleted && string_member(data, "kind") == "model")
    return said(step, at_ms, data);
  if (type == protocol::event::kStepStarted && data.contains("within") && !by_step_.contains(step))
    made_by_code(step, data);
  const auto found = by_step_.find(step);
  if (found == by_step_.end()) return;
  PlayedCall& call = calls_[found->second];
  if (type == protocol::event::kStepStarted) {
    if (begun_.insert(step).second) call.at_ms = at_ms;  // not another attempt
  } else if (type == protocol::event::kStepCompleted) {
    const auto is_error = data.find("is_error");
    call.ended_ms = at_ms;
    call.ok = is_error == data.end() || *is_error == false;
  } else if (type == protocol::event::kStepFailed) {
    call.ended_ms = at_ms;
  } else if (type == protocol::event::kPolicyRuled && !data.contains("after_approval")) {
    call.ruling = string_member(data, "action");
  } else if (type == protocol::event::kApprovalDecided && string_member(data, "outcome") == "edited") {
    call.approval = string_member(data, "approval");
  }
}

std::vector<PlayedCall> calls_of_events(const std::string& run, const nlohmann::ordered_json& events,
                                        std::size_t& unreadable) {
  CallsOfEvents calls(run);
  for (const auto& event : events) {
    if (!event.contains("data")) continue;
    const std::int64_t at = time_of(Json(event.value("at", ""))).value_or(0);
    calls.apply(event.value("type", ""), at, Json(event["data"]));
  }
  std::vector<PlayedCall> out = calls.take();
  unreadable += std::erase_if(out, [](const PlayedCall& call) { return !call.whole; });
  return out;
}

}  // namespace holdfast::agent
