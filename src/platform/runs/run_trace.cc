#include "runs/run_trace.h"

#include <algorithm>

#include "base/json.h"
#include "protocol/events.h"
#include "protocol/words.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::ordered_json;
namespace event = protocol::event;
using protocol::Word;

constexpr protocol::Words kKinds("kind of a span",
                                 {Word{SpanKind::kRun, "run"}, Word{SpanKind::kModel, "model"},
                                  Word{SpanKind::kCompaction, "compaction"}, Word{SpanKind::kTool, "tool"},
                                  Word{SpanKind::kAgent, "agent"}, Word{SpanKind::kApproval, "approval"},
                                  Word{SpanKind::kHold, "hold"}});
constexpr protocol::Words kStatuses("status of a span",
                                    {Word{SpanStatus::kOpen, "open"}, Word{SpanStatus::kOk, "ok"},
                                     Word{SpanStatus::kError, "error"}, Word{SpanStatus::kStopped, "stopped"},
                                     Word{SpanStatus::kInterrupted, "interrupted"}});

// What was said stays in the conversation and with the steps; a span says how it went.
constexpr std::string_view kContent[] = {"arguments", "result", "text", "tool_calls", "input", "output"};
// What a span has a place of its own for.
constexpr std::string_view kPlaced[] = {"step", "attempt", "kind", "name", "is_error", "error", "error_type"};

std::string text_at(const Json& data, const char* name) {
  const auto found = data.find(name);
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_at(const Json& data, const char* name, std::int64_t otherwise = 0) {
  const auto found = data.find(name);
  return found != data.end() && found->is_number_integer() ? found->get<std::int64_t>() : otherwise;
}

std::uint32_t step_of(const Json& data) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(number_at(data, "step"), 0));
}

SpanKind kind_of(const std::string& kind) {
  if (kind == "model") return SpanKind::kModel;
  if (kind == "compact") return SpanKind::kCompaction;
  return kind == "agent" ? SpanKind::kAgent : SpanKind::kTool;
}

}  // namespace

std::string_view to_string(SpanKind kind) {
  return kKinds.text(kind);
}
std::string_view to_string(SpanStatus status) {
  return kStatuses.text(status);
}

void RunTrace::add(TraceSpan& span, const Json& data) const {
  for (const auto& [name, value] : data.items()) {
    if (std::ranges::find(kPlaced, name) != std::end(kPlaced)) continue;
    if (std::ranges::find(kContent, name) == std::end(kContent)) {
      span.more[name] = value;
    } else if (with_content_) {
      span.content[name] = value;
    }
  }
}

void RunTrace::end(TraceSpan span, SpanStatus status, const platform::Event& event) {
  span.status = status;
  span.ended = std::max(event.at, span.begun);
  span.ended_by = event.seq;
  if (ended_.size() >= kMaxSpans) {
    ended_.erase(ended_.begin());
    ++left_out_;
  }
  ended_.push_back(std::move(span));
}

// ---- the run

void RunTrace::begin_run(const platform::Event& event, const Json& data) {
  if (!root_) {
    root_.emplace();
    root_->begun = event.at;
  }
  if (event.type != event::kRunStarted) return;
  root_->name = text_at(data, "agent");
  has_parent_ = data.contains("parent");
  add(*root_, data);
  if (event.at > root_->begun) {
    root_->more["waited_ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(event.at - root_->begun).count();
  }
}

void RunTrace::end_run(const platform::Event& event, const Json& data) {
  if (!root_ || closed_at_) return;
  const bool closing = event.type == event::kRunClosed;
  add(*root_, data);
  if (const auto error = data.find("error"); error != data.end() && error->is_object()) {
    root_->error_type = text_at(*error, "type");
    root_->error = text_at(*error, "message");
  } else if (root_->error_type.empty()) {
    root_->error_type = text_at(data, "error_type");
    root_->error = text_at(data, "error");
  }
  // A sub-agent's log has no more words behind its own.
  if (!closing && !has_parent_) return;
  const bool good = closing ? text_at(data, "status") == "completed" : event.type == event::kRunCompleted;
  if (!closing) {
    root_->more["status"] = event.type == event::kRunCompleted  ? "completed"
                            : event.type == event::kRunCanceled ? "canceled"
                                                                : "failed";
  }
  closed_at_ = event.at;
  for (auto& [step, span] : open_) end(std::move(span), SpanStatus::kStopped, event);
  for (auto& [id, span] : waiting_) end(std::move(span), SpanStatus::kStopped, event);
  open_.clear();
  waiting_.clear();
  retries_.clear();
  queued_.clear();
  if (good) root_->error_type.clear(), root_->error.clear();
  root_->status = good ? SpanStatus::kOk : SpanStatus::kError;
  root_->ended = event.at;
  end(*root_, root_->status, event);
}

// ---- its steps

void RunTrace::begin_step(const platform::Event& event, const Json& data) {
  const std::uint32_t step = step_of(data);
  const std::int64_t attempt = number_at(data, "attempt", 1);
  if (const auto before = open_.find(step); before != open_.end()) {
    if (before->second.attempt == attempt && before->second.name == text_at(data, "name")) return;
    end(std::move(before->second), SpanStatus::kInterrupted, event);
    open_.erase(before);
  }
  TraceSpan span;
  const std::string kind = text_at(data, "kind");
  span.kind = kind_of(kind);
  span.step = step;
  span.attempt = attempt;
  span.name = text_at(data, "name");
  span.begun = event.at;
  add(span, data);
  if (span.kind == SpanKind::kTool) span.more["type"] = kind;
  if (const auto since = queued_since_.find(step); since != queued_since_.end()) {
    span.more["queued_ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(event.at - since->second).count();
    queued_since_.erase(since);
  }
  queued_.erase(step);
  retries_.erase(step);
  open_.emplace(step, std::move(span));
}

void RunTrace::end_step(const platform::Event& event, const Json& data, bool failed) {
  const std::uint32_t step = step_of(data);
  TraceSpan span;
  if (const auto found = open_.find(step); found != open_.end()) {
    span = std::move(found->second);
    open_.erase(found);
  } else {  // it came to nothing before it began: refused, denied, no model to ask
    span.kind = kind_of(text_at(data, "kind"));
    if (!data.contains("kind") && !tools_.contains(step)) span.kind = SpanKind::kModel;
    span.step = step;
    span.attempt = number_at(data, "attempt", 1);
    span.begun = event.at;
    span.name = text_at(data, "name");
    if (const auto tool = tools_.find(step); span.name.empty() && tool != tools_.end())
      span.name = tool->second;
  }
  add(span, data);
  span.error_type = text_at(data, "error_type");
  span.error = text_at(data, "error");
  const bool told_error = data.value("is_error", false);
  if (told_error) {
    span.error_type = "ToolError";
    span.error = text_at(data, "result");
  } else if (failed && span.error_type.empty()) {
    span.error_type = "Refused";
  }
  queued_.erase(step);
  retries_.erase(step);
  if (event.type == event::kStepRetrying) {
    Retry retry;
    retry.since = event.at;
    retry.error_type = span.error_type;
    for (const char* name : {"next_attempt_ms", "retry_after_ms"}) {
      if (!retry.next_ms && data.contains(name)) retry.next_ms = number_at(data, name);
    }
    retries_[step] = std::move(retry);
  }
  end(std::move(span), failed || told_error ? SpanStatus::kError : SpanStatus::kOk, event);
}

// ---- what it waits for

void RunTrace::approval(const platform::Event& event, const Json& data) {
  const std::string id = text_at(data, "approval");
  if (event.type == event::kApprovalRequested) {
    TraceSpan span;
    span.kind = SpanKind::kApproval;
    span.step = step_of(data);
    span.id = id;
    span.name = text_at(data, "tool");
    span.begun = event.at;
    for (const char* name : {"reason", "within"}) {
      if (data.contains(name)) span.more[name] = data[name];
    }
    tools_[span.step] = span.name;
    waiting_.emplace(id, std::move(span));
    return;
  }
  auto span = waiting_.extract(id);
  if (span.empty()) return;
  for (const char* name : {"outcome", "decided_by"}) {
    if (data.contains(name)) span.mapped().more[name] = data[name];
  }
  end(std::move(span.mapped()), SpanStatus::kOk, event);
}

void RunTrace::hold(const platform::Event& event, const Json& data) {
  const std::string id = "hold";
  if (event.type != event::kRunResumed) {
    TraceSpan span;
    span.kind = SpanKind::kHold;
    span.name = event.type == event::kRunParked ? "parked" : "paused";
    span.id = "hold/" + std::to_string(event.seq);
    span.begun = event.at;
    span.error = text_at(data, "error");
    add(span, data);
    waiting_.emplace(id, std::move(span));
    return;
  }
  auto span = waiting_.extract(id);
  if (span.empty()) return;
  if (data.contains("by")) span.mapped().more["resumed_by"] = data["by"];
  end(std::move(span.mapped()), SpanStatus::kOk, event);
}

void RunTrace::apply(const platform::Event& event) {
  if (event.type == platform::kDeltaEvent) return;
  const Json data = parse_json<Json>(event.data);
  if (!data.is_object()) return;
  if (event.type == event::kRunStarted || event.type == event::kRunWaiting) return begin_run(event, data);
  if (event.type == event::kRunClosed || event.type == event::kRunCompleted ||
      event.type == event::kRunFailed || event.type == event::kRunCanceled)
    return end_run(event, data);
  if (closed_at_) return;
  if (event.type == event::kStepStarted) return begin_step(event, data);
  if (event.type == event::kStepCompleted) return end_step(event, data, false);
  if (event.type == event::kStepFailed || event.type == event::kStepRetrying)
    return end_step(event, data, true);
  if (event.type == event::kStepWaiting) {
    queued_since_.emplace(step_of(data), event.at);
    queued_[step_of(data)] = text_at(data, "limit");
    return;
  }
  if (event.type == event::kApprovalRequested || event.type == event::kApprovalDecided)
    return approval(event, data);
  if (event.type == event::kRunPaused || event.type == event::kRunParked || event.type == event::kRunResumed)
    hold(event, data);
}

std::string span_id_of(const platform::TraceContext& trace, std::string_view run, const TraceSpan& span) {
  if (span.kind == SpanKind::kRun) return platform::run_span_id(trace.trace_id, run);
  if (!span.id.empty()) return platform::named_span_id(trace.trace_id, run, span.id);
  return platform::step_span_id(trace.trace_id, run, span.step, span.attempt);
}

// A run that another one called stands below the step that called it, and so does what code called.
std::string parent_id_of(const platform::TraceContext& trace, std::string_view run, const TraceSpan& span) {
  if (span.kind != SpanKind::kRun) {
    const std::int64_t within = number_at(span.more, "within");
    // Code has one attempt: it is run over the results of its calls again, and is the same step.
    if (within > 0) return platform::step_span_id(trace.trace_id, run, static_cast<std::uint32_t>(within), 1);
    return platform::run_span_id(trace.trace_id, run);
  }
  const auto parent = span.more.find("parent");
  if (parent == span.more.end() || !parent->is_object()) return trace.parent_id;
  return platform::step_span_id(trace.trace_id, text_at(*parent, "run"), step_of(*parent), 1);
}

std::vector<TraceSpan> RunTrace::take_ended() {
  return std::exchange(ended_, {});
}

std::vector<TraceSpan> RunTrace::spans() const {
  std::vector<TraceSpan> out = ended_;
  if (root_ && !root_->ended) out.push_back(*root_);
  for (const auto& [step, span] : open_) out.push_back(span);
  for (const auto& [id, span] : waiting_) out.push_back(span);
  std::ranges::sort(out, [](const TraceSpan& a, const TraceSpan& b) {
    if ((a.kind == SpanKind::kRun) != (b.kind == SpanKind::kRun)) return a.kind == SpanKind::kRun;
    if (a.begun != b.begun) return a.begun < b.begun;
    if (a.step != b.step) return a.step < b.step;
    return a.attempt < b.attempt;
  });
  return out;
}

}  // namespace holdfast::runs
