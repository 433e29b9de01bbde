#pragma once

// A span of a run as OTLP's JSON has it, named by OpenTelemetry's conventions for generative AI
// (open-telemetry/semantic-conventions-genai, v0.1.0): `invoke_agent`, `chat` and `execute_tool`. What they
// have no word for begins with `holdfast.`. Pure.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/settings.h"
#include "platform/trace_context.h"
#include "runs/run_trace.h"

namespace holdfast::otlp {

using Json = nlohmann::ordered_json;

// `agent` and `conversation` are of the run that the span belongs to.
Json span_json(const platform::TraceContext& trace, std::string_view run, const runs::TraceSpan& span,
               const std::string& agent, const std::string& conversation, bool content);

// ExportTraceServiceRequest; `spans`: texts of span_json().
std::string request_json(const Settings& settings, std::string_view version,
                         const std::vector<std::string>& spans);

// As the conventions call it: "gcp.gemini" for ours, which is "gemini".
std::string_view provider_name(std::string_view provider);

}  // namespace holdfast::otlp
