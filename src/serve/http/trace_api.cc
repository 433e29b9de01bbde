// A run as spans, in pages by bytes, with what they say together.

#include "http/trace_api.h"

#include <charconv>

#include "base/json.h"
#include "http/problems.h"
#include "runs/run_traces.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxTracePage = 1 << 20;  // of spans, unless it is one alone

Json span_json(const runs::RunTraceView& trace, const std::string& run, const runs::TraceSpan& span) {
  Json out = {{"span_id", runs::span_id_of(trace.context, run, span)}};
  const std::string parent = runs::parent_id_of(trace.context, run, span);
  out["parent_span_id"] = parent.empty() ? Json(nullptr) : Json(parent);
  out["kind"] = to_string(span.kind);
  out["name"] = span.name;
  out["status"] = to_string(span.status);
  if (span.step != 0) out["step"] = span.step;
  if (span.attempt != 0) out["attempt"] = span.attempt;
  out["started_at"] = iso_time(span.begun);
  out["ended_at"] = span.ended ? Json(iso_time(*span.ended)) : Json(nullptr);
  if (span.ended) {
    const std::chrono::duration<double, std::milli> took = *span.ended - span.begun;
    out["duration_ms"] = took.count();
  }
  if (!span.error_type.empty() || !span.error.empty())
    out["error"] = {{"type", span.error_type}, {"message", span.error}};
  for (const auto& [name, value] : span.more.items()) {
    if (!out.contains(name)) out[name] = value;
  }
  return out;
}

}  // namespace

Response show_trace(ApiContext& context, Request& request) {
  const std::string run(request.param("id"));
  auto cursor = cursor_parameter(request);
  if (!cursor) return cursor.error().response();
  std::size_t at = 0;
  if (!cursor->empty()) {
    const auto [end, bad] = std::from_chars(cursor->data(), cursor->data() + cursor->size(), at);
    if (bad != std::errc() || end != cursor->data() + cursor->size())
      return Problem(400, "invalid_cursor", "this cursor is of no page of a trace").response();
  }
  auto trace = runs::trace_of_run(context.runs(), context.store(), run);
  if (!trace) return problem_of(trace.error()).response();
  Json spans = Json::array();
  std::size_t bytes = 0;
  for (; at < trace->spans.size(); ++at) {
    Json one = span_json(*trace, run, trace->spans[at]);
    const std::size_t size = dump_json(one).size();
    if (!spans.empty() && bytes + size > kMaxTracePage) break;
    bytes += size;
    spans.push_back(std::move(one));
  }
  Json out = {{"run", run},
              {"trace_id", trace->context.trace_id},
              {"totals", trace->report["totals"]},
              {"failure", trace->report["failure"]},
              {"now", trace->report["now"]}};
  if (trace->report["left_out"] != 0) out["left_out"] = trace->report["left_out"];
  out["spans"] = std::move(spans);
  out["next_cursor"] = next_cursor(request.path, at < trace->spans.size() ? std::to_string(at) : "");
  return json_response(out);
}

}  // namespace holdfast::http
