#pragma once

// RunTrace: a run as spans, folded from its event log: the run itself, and within it each attempt at a model
// call or tool call, each wait for a person, each hold. The log is durable and keyed, so a trace is the same
// whoever folds it, also behind a crash.
//
// RunTraceReport says of a whole trace what people ask first: what went wrong, where the run is now. Pure.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "platform/streams.h"
#include "platform/trace_context.h"

namespace holdfast::runs {

enum class SpanKind : std::uint8_t { kRun, kModel, kCompaction, kTool, kAgent, kApproval, kHold };
std::string_view to_string(SpanKind kind);  // "run", "model", ...

enum class SpanStatus : std::uint8_t {
  kOpen,
  kOk,
  kError,        // it failed; of a run: or was ended by somebody
  kStopped,      // the run ended meanwhile
  kInterrupted,  // nobody told its end, and the next attempt has begun: its process died
};
std::string_view to_string(SpanStatus status);

struct TraceSpan {
  TraceSpan() = default;
  SpanKind kind = SpanKind::kRun;
  SpanStatus status = SpanStatus::kOpen;
  std::uint32_t step = 0;  // 0: of no step
  std::int64_t attempt = 0;
  std::string id;    // what names it within the run, when it is of no step: an approval, a hold
  std::string name;  // of the agent, the model, the tool
  WallTime begun{};
  std::optional<WallTime> ended;
  std::uint64_t ended_by = 0;  // Event::seq
  std::string error_type;
  std::string error;
  // What else was recorded: provider, usage, cost, instead_of, run (of a sub-agent), ...
  nlohmann::ordered_json more = nlohmann::ordered_json::object();
  // What was said, as the log has it: arguments, result, text, tool_calls, input, output. Empty unless asked
  // for.
  nlohmann::ordered_json content = nlohmann::ordered_json::object();
};

class RunTrace {
 public:
  static constexpr std::size_t kMaxSpans = 20'000;  // that have ended; older ones are counted

  explicit RunTrace(bool with_content = false) : with_content_(with_content) {}

  void apply(const platform::Event& event);

  // Those that have ended since it was asked last, in the order of their ends.
  std::vector<TraceSpan> take_ended();
  // All that it has, in the order of their beginnings; those that were taken are not there.
  std::vector<TraceSpan> spans() const;

  const TraceSpan* root() const { return root_ ? &*root_ : nullptr; }
  std::size_t left_out() const { return left_out_; }
  // Of a step that waits for its next attempt: since when, and for how long.
  struct Retry {
    WallTime since{};
    std::string error_type;
    std::optional<std::int64_t> next_ms;
  };
  const std::map<std::uint32_t, Retry>& retries() const { return retries_; }
  // Steps that wait for a limit of their key, by its name.
  const std::map<std::uint32_t, std::string>& queued() const { return queued_; }
  std::optional<WallTime> closed_at() const { return closed_at_; }

 private:
  using Json = nlohmann::ordered_json;

  void begin_run(const platform::Event& event, const Json& data);
  void end_run(const platform::Event& event, const Json& data);
  void begin_step(const platform::Event& event, const Json& data);
  void end_step(const platform::Event& event, const Json& data, bool failed);
  void approval(const platform::Event& event, const Json& data);
  void hold(const platform::Event& event, const Json& data);
  void end(TraceSpan span, SpanStatus status, const platform::Event& event);

  void add(TraceSpan& span, const Json& data) const;

  bool with_content_;
  std::optional<TraceSpan> root_;                   // also when it has ended
  bool has_parent_ = false;                         // it is a sub-agent, whose log nobody closes
  std::map<std::uint32_t, TraceSpan> open_;         // attempts, by their step
  std::map<std::string, TraceSpan> waiting_;        // for people, by their id
  std::map<std::uint32_t, WallTime> queued_since_;  // for a slot of a key
  std::map<std::uint32_t, std::string> queued_;
  std::map<std::uint32_t, Retry> retries_;
  std::map<std::uint32_t, std::string> tools_;  // names, of steps that wait for a person
  std::vector<TraceSpan> ended_;
  std::size_t left_out_ = 0;
  std::optional<WallTime> closed_at_;
};

// Its place in the trace: platform/trace_context.h.
std::string span_id_of(const platform::TraceContext& trace, std::string_view run, const TraceSpan& span);
// Empty: the span is the top of its trace.
std::string parent_id_of(const platform::TraceContext& trace, std::string_view run, const TraceSpan& span);

// What the spans of a run say together: "totals", "failure" (null: nothing failed), "now" (null: it is over).
nlohmann::ordered_json trace_report(const RunTrace& trace, const std::vector<TraceSpan>& spans);

}  // namespace holdfast::runs
