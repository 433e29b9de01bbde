#include "activities/carried_result.h"

#include <fmt/format.h>

#include "activities/activities.h"
#include "base/json.h"
#include "base/sha256.h"

namespace holdfast::agent {

Json tool_event(std::uint32_t step, std::string_view kind, std::string_view tool, const std::string& record) {
  const Json parsed = Json::parse(record);
  Json event = {{"step", step},
                {"kind", kind},
                {"name", tool},
                {"result", excerpt(parsed.value("text", ""))},
                {"is_error", parsed.value("is_error", false)}};
  for (const char* name : {"output", "log"}) {
    if (const auto found = parsed.find(name); found != parsed.end()) event[name] = *found;
  }
  return event;
}

std::string CarriedResult::text() const {
  return dump_json(Json{{"record", record},
                        {"step", step},
                        {"kind", kind},
                        {"tool", tool},
                        {"agent", agent},
                        {"version", version}});
}

CarriedResult CarriedResult::read(const std::string& text) {
  const Json in = Json::parse(text);
  CarriedResult out;
  in.at("record").get_to(out.record);
  in.at("step").get_to(out.step);
  in.at("kind").get_to(out.kind);
  in.at("tool").get_to(out.tool);
  in.at("agent").get_to(out.agent);
  in.at("version").get_to(out.version);
  return out;
}

std::string CarriedResult::event_key() const {
  return fmt::format("step/{}/completed/{}", step, sha256_hex(record).substr(0, 16));
}

Json CarriedResult::event() const {
  return tool_event(step, kind, tool, record);
}

platform::StepWrite CarriedResult::step_write(const std::string& run, const std::string& key) const {
  platform::StepWrite out;
  out.key = key;
  out.run = run;
  out.result = record;
  CallRef call;
  call.key = key.substr(std::string_view("tool:").size());
  call.tool = tool;
  out.usage.push_back(Spend::tool_usage(run, agent, version, call));
  return out;
}

}  // namespace holdfast::agent
