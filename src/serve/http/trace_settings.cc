#include "http/trace_settings.h"

#include "platform/trace_context.h"

namespace holdfast::http {

void put_trace(nlohmann::json& settings, const Request& request) {
  const std::string_view parent = request.header("traceparent");
  const auto trace = platform::parse_trace(parent, request.header("tracestate"));
  if (!trace) return;
  nlohmann::json& given = settings[std::string(platform::kTraceSetting)];
  given["traceparent"] = parent;
  if (!trace->state.empty()) given["tracestate"] = trace->state;
}

}  // namespace holdfast::http
