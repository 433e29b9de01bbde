// What the spans of a run say together: what they came to, what went wrong, where the run is now.

#include <fmt/format.h>

#include <algorithm>

#include "base/iso_time.h"
#include "runs/run_reason.h"
#include "runs/run_trace.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::ordered_json;

bool is_call(const TraceSpan& span) {
  return span.kind == SpanKind::kModel || span.kind == SpanKind::kCompaction ||
         span.kind == SpanKind::kTool || span.kind == SpanKind::kAgent;
}

std::string_view noun_of(SpanKind kind) {
  switch (kind) {
    case SpanKind::kModel: return "the model call of";
    case SpanKind::kCompaction: return "the summary by";
    case SpanKind::kAgent: return "the sub-agent";
    default: return "the tool call";
  }
}

Json totals_of(const std::vector<TraceSpan>& spans) {
  std::int64_t models = 0;
  std::int64_t tools = 0;
  std::int64_t retries = 0;
  std::int64_t errors = 0;
  std::int64_t input = 0;
  std::int64_t output = 0;
  for (const TraceSpan& span : spans) {
    if (!is_call(span)) continue;
    const bool model = span.kind == SpanKind::kModel || span.kind == SpanKind::kCompaction;
    ++(model ? models : tools);
    if (span.attempt > 1) ++retries;
    if (span.status == SpanStatus::kError) ++errors;
    if (const auto usage = span.more.find("usage"); usage != span.more.end() && usage->is_object()) {
      input += usage->value("input_tokens", std::int64_t{0});
      output += usage->value("output_tokens", std::int64_t{0});
    }
  }
  return {{"model_attempts", models}, {"tool_attempts", tools}, {"retries", retries},
          {"errors", errors},         {"input_tokens", input},  {"output_tokens", output}};
}

Json where(const TraceSpan& span) {
  Json out = Json::object();
  if (span.step != 0) out["step"] = span.step;
  out["kind"] = to_string(span.kind);
  out["name"] = span.name;
  if (span.attempt != 0) out["attempt"] = span.attempt;
  out["since"] = iso_time(span.begun);
  return out;
}

// The run's own word says why it ended; the attempts of the last step that failed say where, how often and
// since when.
Json failure_of(const RunTrace& trace, const std::vector<TraceSpan>& spans) {
  const TraceSpan* root = trace.root();
  const bool failed = root != nullptr && root->status == SpanStatus::kError;
  const bool held = std::ranges::any_of(spans, [](const TraceSpan& span) {
    return span.kind == SpanKind::kHold && span.status == SpanStatus::kOpen && span.name == "parked";
  });
  if (!failed && !held && trace.retries().empty()) return nullptr;
  const TraceSpan* last = nullptr;
  for (const TraceSpan& span : spans) {
    if (is_call(span) && span.status == SpanStatus::kError &&
        (last == nullptr || last->ended <= span.ended) && (!failed || span.error_type != "ToolError"))
      last = &span;
  }
  Json out = Json::object();
  if (failed) {
    out["error_type"] = root->error_type;
    out["reason"] =
        root->more.contains("reason") ? root->more["reason"] : Json(failure_reason(root->error_type));
    out["error"] = root->error;
    out["at"] = iso_time(*root->ended);
  }
  if (last == nullptr) return failed ? out : Json(nullptr);
  std::int64_t attempts = 0;
  WallTime first = last->begun;
  for (const TraceSpan& span : spans) {
    if (!is_call(span) || span.step != last->step) continue;
    attempts = std::max(attempts, span.attempt);
    first = std::min(first, span.begun);
  }
  if (!failed) {
    out["error_type"] = last->error_type;
    out["reason"] = failure_reason(last->error_type);
    out["error"] = last->error;
    out["at"] = iso_time(*last->ended);
  }
  out["step"] = last->step;
  out["kind"] = to_string(last->kind);
  out["name"] = last->name;
  out["attempts"] = attempts;
  out["since"] = iso_time(first);
  out["explanation"] =
      fmt::format("step {}, {} {}, failed {}: {}{}{}", last->step, noun_of(last->kind), last->name,
                  attempts > 1 ? fmt::format("{} times since {}", attempts, iso_time(first))
                               : "at " + iso_time(*last->ended),
                  last->error_type, last->error.empty() ? "" : ": ", last->error);
  return out;
}

Json now_of(const RunTrace& trace, const std::vector<TraceSpan>& spans) {
  const TraceSpan* root = trace.root();
  if (root == nullptr || root->ended) return nullptr;
  Json out = Json::array();
  for (const TraceSpan& span : spans) {
    if (span.status != SpanStatus::kOpen || span.kind == SpanKind::kRun) continue;
    Json one = where(span);
    one["state"] = span.kind == SpanKind::kApproval ? "waits for a person"
                   : span.kind == SpanKind::kHold   ? span.name
                                                    : "running";
    out.push_back(std::move(one));
  }
  for (const auto& [step, retry] : trace.retries()) {
    Json one = {{"step", step}, {"state", "waits for its next attempt"}, {"since", iso_time(retry.since)}};
    one["error_type"] = retry.error_type;
    if (retry.next_ms) one["next_attempt_ms"] = *retry.next_ms;
    out.push_back(std::move(one));
  }
  for (const auto& [step, limit] : trace.queued())
    out.push_back({{"step", step}, {"state", "waits for the limit of " + limit}});
  return out;
}

}  // namespace

Json trace_report(const RunTrace& trace, const std::vector<TraceSpan>& spans) {
  return {{"totals", totals_of(spans)},
          {"failure", failure_of(trace, spans)},
          {"now", now_of(trace, spans)},
          {"left_out", trace.left_out()}};
}

}  // namespace holdfast::runs
