#pragma once

// The trace of a run, in W3C Trace Context's terms: one trace id for a run and all below it, and a span id
// for each run and each attempt at a step. The ids follow from what is stored, the id and the beginning of
// the first run, and nobody keeps them: whoever looks, in whichever process, behind whichever crash, gets the
// same. A run that was started within somebody else's trace (`traceparent`) belongs to that one.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::platform {

inline constexpr std::size_t kMaxTraceState = 512;  // bytes of a tracestate; a longer one is left out

struct TraceContext {
  TraceContext() = default;
  std::string trace_id;   // 32 hexadecimal digits
  std::string parent_id;  // 16: the span that the first run was started in; empty: none
  bool given = false;     // by whoever started the run
  bool sampled = true;    // whoever gave it records it, too
  std::string state;      // `tracestate`, passed on as it came

  // What a request says that is made within that span.
  std::string traceparent(std::string_view span_id) const;
};

// What a request said; none: nothing that can be understood, and then the trace begins here.
std::optional<TraceContext> parse_trace(std::string_view traceparent, std::string_view tracestate);
// As settings of a run hold it, {"traceparent","tracestate"} under kTraceSetting, and as they give it back.
inline constexpr std::string_view kTraceSetting = "trace";
std::optional<TraceContext> trace_in(std::string_view settings);

std::string run_span_id(std::string_view trace_id, std::string_view run);
std::string step_span_id(std::string_view trace_id, std::string_view run, std::uint32_t step,
                         std::int64_t attempt);
// Of what has a name of its own in the run, such as an approval.
std::string named_span_id(std::string_view trace_id, std::string_view run, std::string_view name);

// Of a run, or of a sub-agent below it. What the store does not know begins a trace of its own.
Result<TraceContext> trace_of(Store& store, std::string_view run);

}  // namespace holdfast::platform
