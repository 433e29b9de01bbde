#include "activities/policy_replay.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "activities/builtin_tools.h"
#include "base/iso_time.h"
#include "base/json.h"

namespace holdfast::agent {

namespace {

std::optional<std::int64_t> time_of(const Json& json) {
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (!json.is_string()) return std::nullopt;
  const auto time = parse_iso_time(json.get<std::string>());
  if (!time) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count();
}

bool was_made(const PlayedCall& call) {
  return call.ruling != "deny" && (call.ended_ms > 0 || call.ruling.empty() || call.ruling == "allow");
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

std::vector<PlayedCall> calls_of_events(const std::string& run, const nlohmann::ordered_json& events,
                                        std::size_t& unreadable) {
  std::vector<PlayedCall> out;
  std::map<std::int64_t, std::size_t> by_step;
  for (const auto& event : events) {
    const std::string type = event.value("type", "");
    if (!event.contains("data") || !event["data"].is_object()) continue;
    const Json data = Json(event["data"]);
    const std::int64_t at = time_of(Json(event.value("at", ""))).value_or(0);
    const auto number = data.find("step");  // of pieces of text it is a name
    if (number == data.end() || !number->is_number_integer()) continue;
    const auto step = number->get<std::int64_t>();
    if (type == "step.completed" && data.value("kind", "") == "model") {
      // Calls that are not refused get the numbers behind the model's, in their order.
      std::int64_t next = step;
      for (const Json& said : data.value("tool_calls", Json::array())) {
        const std::string verdict = said.value("verdict", "");
        if (verdict == "invalid") continue;
        if (verdict != "deny") ++next;
        PlayedCall call;
        call.run = run;
        call.tool = said.value("name", "");
        call.at_ms = at;
        call.ruling = verdict == "judge" ? "allow" : verdict;
        const std::string text = said.value("arguments", "");
        call.arguments = parse_json(text.empty() ? "{}" : text);
        if (!call.arguments.is_object()) {
          ++unreadable;
          continue;
        }
        if (verdict != "deny") by_step[next] = out.size();
        out.push_back(std::move(call));
      }
      continue;
    }
    const auto found = by_step.find(step);
    if (found == by_step.end()) continue;
    PlayedCall& call = out[found->second];
    if (type == "step.completed") {
      call.ended_ms = at;
      call.ok = !data.value("is_error", false);
    } else if (type == "step.failed") {
      call.ended_ms = at;
    } else if (type == "policy.ruled" && !data.value("after_approval", false)) {
      call.ruling = data.value("action", call.ruling);
    }
  }
  return out;
}

}  // namespace holdfast::agent
