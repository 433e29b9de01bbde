#include "runs/start_settings.h"

#include "platform/find_version.h"
#include "platform/trace_context.h"
#include "protocol/agent_reference.h"

namespace holdfast::runs {

namespace {

bool wants_others(platform::Store& store, const platform::StartIntent& intent) {
  const auto named = protocol::parse_agent_reference(intent.agent);
  if (!named) return false;  // the start is refused for it
  const auto version =
      platform::find_version(store, named->agent,
                             intent.definition_hash.empty() ? named->version : intent.definition_hash);
  return version && version->text.contains("\"four_eyes\":true");
}

}  // namespace

void put_asker(nlohmann::json& settings, platform::Store& store, const platform::StartIntent& intent,
               const Asker& asker) {
  if (const auto trace = platform::parse_trace(asker.traceparent, asker.tracestate)) {
    nlohmann::json& given = settings[std::string(platform::kTraceSetting)];
    given["traceparent"] = asker.traceparent;
    if (!trace->state.empty()) given["tracestate"] = trace->state;
  }
  if (!asker.name.empty() && wants_others(store, intent)) settings["started_by"] = asker.name;
}

}  // namespace holdfast::runs
