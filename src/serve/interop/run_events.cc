#include "interop/run_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "protocol/events.h"

namespace holdfast::interop {

namespace {

using Json = nlohmann::ordered_json;
using What = RunEvent::What;
namespace event = protocol::event;

std::string text_at(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : dump_json(*found);
}

// "1.2" of step 1, attempt 2.
bool is_of(std::string_view text, std::string_view step) {
  return text.size() > step.size() && text.starts_with(step) && text[step.size()] == '.';
}

std::string_view next_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('~'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

RunEvents::RunEvents(std::string_view mark) {
  if (mark.size() > kMaxMarkBytes) return;
  cursor_ = next_part(mark);
  while (!mark.empty()) {
    std::string_view part = next_part(mark);
    const char kind = part.empty() ? ' ' : part.front();
    if (!part.empty()) part.remove_prefix(1);
    if (kind == 'c') calls_.emplace(part);
    if (kind != 't') continue;
    const std::size_t dot = part.rfind('.');
    if (dot == std::string_view::npos) continue;
    std::from_chars(part.data() + dot + 1, part.data() + part.size(), bytes_);
    text_ = part.substr(0, dot);
  }
}

std::string RunEvents::mark() const {
  std::string out = cursor_;
  if (!text_.empty()) out += fmt::format("~t{}.{}", text_, bytes_);
  for (const std::string& call : calls_) out += "~c" + call;
  return out;
}

void RunEvents::drop_text(const Seen& seen) {
  if (text_.empty()) return;
  seen({.what = What::kTextDropped, .id = std::exchange(text_, {}), .seq = seq_});
}

void RunEvents::reset(const Seen& seen) {
  drop_text(seen);
  calls_.clear();
  cursor_.clear();
}

void RunEvents::delta(const platform::Event& event, const Seen& seen) {
  const Json data = parse_json<Json>(event.data);
  if (!data.is_object()) return;
  const std::string id = fmt::format("{}.{}", text_at(data, "step"), text_at(data, "attempt"));
  if (!text_.empty() && (text_ != id || data.value("reset", false))) drop_text(seen);
  std::string piece = text_at(data, "text");
  if (piece.empty()) return;
  if (text_.empty()) {
    text_ = id;
    bytes_ = 0;
    seen({.what = What::kTextStart, .id = id, .seq = seq_});
  }
  bytes_ += piece.size();
  seen({.what = What::kText, .id = id, .text = std::move(piece), .seq = seq_});
}

// What was not streamed is shown now: the answer may come from the record of an attempt that died.
void RunEvents::model_done(const std::string& step, std::string_view text, const Seen& seen) {
  if (!text_.empty() && !is_of(text_, step)) drop_text(seen);
  if (text_.empty() && text.empty()) return;
  if (text_.empty()) {
    text_ = step + ".0";
    bytes_ = 0;
    seen({.what = What::kTextStart, .id = text_, .seq = seq_});
  }
  if (text.size() > bytes_)
    seen({.what = What::kText, .id = text_, .text = std::string(text.substr(bytes_)), .seq = seq_});
  seen({.what = What::kTextEnd, .id = std::exchange(text_, {}), .seq = seq_});
}

void RunEvents::step(const platform::Event& event, const Seen& seen) {
  const Json data = parse_json<Json>(event.data);
  if (!data.is_object()) return;
  const std::string step = text_at(data, "step");
  const std::string kind = text_at(data, "kind");
  const std::string name = text_at(data, "name");
  const bool is_tool = calls_.contains(step) || (!kind.empty() && kind != "model");
  if (event.type == event::kStepRetrying && is_of(text_, step)) return drop_text(seen);
  if (event.type == event::kStepStarted && is_tool) {
    if (calls_.contains(step) || calls_.size() >= kMaxOpenCalls) return;
    calls_.insert(step);
    return seen(
        {.what = What::kToolCall, .id = step, .name = name, .text = text_at(data, "arguments"), .seq = seq_});
  }
  const bool failed = event.type == event::kStepFailed;
  if (event.type != event::kStepCompleted && !failed) {
    return seen({.what = What::kStage, .id = step, .name = event.type, .text = event.data, .seq = seq_});
  }
  if (!is_tool) {
    if (failed) return drop_text(seen);
    return model_done(step, text_at(data, "text"), seen);
  }
  if (calls_.erase(step) == 0)
    seen({.what = What::kToolCall, .id = step, .name = name, .text = "{}", .seq = seq_});
  seen({.what = What::kToolResult,
        .id = step,
        .name = name,
        .text = failed ? text_at(data, "error") : text_at(data, "result"),
        .is_error = failed || data.value("is_error", false),
        .seq = seq_});
}

void RunEvents::closed(const platform::Event& event, const Seen& seen) {
  drop_text(seen);
  const Json data = parse_json<Json>(event.data);
  RunEvent out{.what = What::kClosed, .seq = seq_};
  if (data.is_object()) {
    out.name = text_at(data, "status");
    if (const auto result = data.find("result"); result != data.end())
      out.text = result->is_object() ? text_at(*result, "output") : dump_json(*result);
    if (const auto error = data.find("error"); error != data.end() && error->is_object()) {
      out.text = text_at(*error, "message");
      out.id = text_at(*error, "type");
    }
  }
  out.is_error = out.name != "completed";
  seen(std::move(out));
}

// The call that it is about is shown before it: it is what a person is asked about.
void RunEvents::approval(const platform::Event& event, const Seen& seen) {
  const bool asked = event.type == event::kApprovalRequested;
  const Json data = parse_json<Json>(event.data);
  if (!data.is_object()) return;
  const std::string step = text_at(data, "step");
  const std::string tool = text_at(data, "tool");
  std::string text = text_at(data, asked ? "arguments" : "outcome");
  if (asked && calls_.size() < kMaxOpenCalls && calls_.insert(step).second)
    seen({.what = What::kToolCall, .id = step, .name = tool, .text = text, .seq = seq_});
  seen({.what = asked ? What::kApproval : What::kDecided,
        .id = text_at(data, "approval"),
        .call = step,
        .name = tool,
        .text = std::move(text),
        .seq = seq_});
}

void RunEvents::apply(const platform::Event& event, const Seen& seen) {
  seq_ = event.seq;
  if (event.type == platform::kDeltaEvent) {
    delta(event, seen);
  } else if (event.type.starts_with("step.")) {
    step(event, seen);
  } else if (event.type == event::kRunClosed) {
    closed(event, seen);
  } else if (event.type == event::kRunStarted) {
    seen({.what = What::kStarted, .seq = seq_});
  } else if (event.type == event::kApprovalRequested || event.type == event::kApprovalDecided) {
    approval(event, seen);
  } else if (event.type != event::kRunCompleted && event.type != event::kRunFailed &&
             event.type != event::kRunCanceled) {  // those are told when the run has closed
    seen({.what = What::kStage, .name = event.type, .text = event.data, .seq = seq_});
  }
  cursor_ = event.cursor;
}

}  // namespace holdfast::interop
