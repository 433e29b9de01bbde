#include "openai/run_fold.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "protocol/events.h"
#include "runs/run_reason.h"

namespace holdfast::openai {

namespace {

namespace event = protocol::event;
using What = Happening::What;

constexpr std::string_view kModel = "model";
constexpr std::string_view kCompaction = "compact";  // what it says is for the model alone

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : dump_json(*found);
}

template <typename Number>
Number number_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<Number>() : Number{0};
}

bool is_set(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

// What a run says of its own end, in the form in which the engine says it. The engine's word comes behind it,
// and may come late where very many runs are open; nobody waits for that.
Json closing_of(std::string_view type, const Json& data, const std::vector<Item>& items) {
  if (type == event::kRunCanceled) return {{"status", "canceled"}, {"reason", "canceled"}};
  if (type == event::kRunFailed) {
    const std::string error_type = text_of(data, "error_type");
    return {{"status", "failed"},
            {"reason", runs::failure_reason(error_type)},
            {"error", {{"type", error_type}, {"message", text_of(data, "error")}}}};
  }
  const bool cap = is_set(data, "max_iterations_reached");
  std::string output = text_of(data, "output");  // as far as an event has it
  if (!cap && !items.empty() && items.back().is_last) output = items.back().text;
  return {{"status", "completed"},
          {"reason", cap ? "max_iterations" : "completed"},
          {"result", {{"output", std::move(output)}}}};
}

}  // namespace

void RunFold::tell(What what, std::size_t item, std::string_view text) const {
  if (told_ != nullptr && *told_) (*told_)({.what = what, .item = item, .text = text});
}

void RunFold::wait(std::string on) {
  if (on == waiting_on_) return;
  waiting_on_ = std::move(on);
  tell(What::kWaiting);
}

std::optional<std::size_t> RunFold::begin(Item item) {
  if (items_.size() >= kMaxItems && item.kind == Item::Kind::kCall) return std::nullopt;
  bytes_ += item.arguments.size();
  items_.push_back(std::move(item));
  tell(What::kItemBegan, items_.size() - 1);
  return items_.size() - 1;
}

void RunFold::say(std::size_t item, std::string_view text) {
  if (text.empty()) return;
  const std::string_view kept = cut_text(text, kMaxText - std::min(bytes_, kMaxText));
  items_[item].text += kept;
  bytes_ += kept.size();
  tell(What::kText, item, text);
}

void RunFold::end(std::size_t item, Item::State state) {
  Item& one = items_[item];
  if (one.state != Item::State::kOpen) return;
  one.state = state;
  if (state == Item::State::kDropped) {
    bytes_ -= std::min(bytes_, one.text.size());
    one.text.clear();
  }
  tell(What::kItemEnded, item);
}

// ---- events

void RunFold::apply(const platform::Event& happened, const Tell& to) {
  const Json data = parse_json<Json>(happened.data.empty() ? "{}" : happened.data);
  if (!data.is_object() || ended_) return;
  told_ = &to;
  const std::string_view type = happened.type;
  const std::string step = text_of(data, "step");
  if (type == platform::kDeltaEvent) {
    delta(data);
  } else if (type == event::kStepStarted) {
    step_started(data);
  } else if (type == event::kStepCompleted) {
    const std::string kind = text_of(data, "kind");
    if (kind == kModel) model_completed(step, data);
    if (kind != kModel && kind != kCompaction) call_ended(step, data, is_set(data, "is_error"));
  } else if (type == event::kStepFailed) {
    step_failed(step, data);
  } else if (type == event::kApprovalRequested) {
    approval_requested(data);
  } else if (type == event::kApprovalDecided) {
    approval_decided(data);
  } else if (type == event::kRunStarted) {
    const bool first = !std::exchange(started_, true);
    waiting_on_.clear();
    if (first) tell(What::kStarted);
  } else if (type == event::kRunWaiting) {
    wait(text_of(data, "on"));
  } else if (type == event::kRunPaused || type == event::kRunParked || type == event::kRunResumed) {
    held_ = type != event::kRunResumed;
    wait(!pending_.empty() ? "approval" : held_ ? "resume" : "");
  } else if (type == event::kRunCompleted || type == event::kRunFailed || type == event::kRunCanceled) {
    if (const auto usage = data.find("usage"); usage != data.end() && usage->is_object()) usage_ = *usage;
    ended(happened, closing_of(type, data, items_));
  } else if (type == event::kRunClosed) {
    ended(happened, data);
  }
  told_ = nullptr;
}

void RunFold::step_started(const Json& data) {
  const std::string kind = text_of(data, "kind");
  const std::string step = text_of(data, "step");
  if (step.empty() || kind == kCompaction) return;
  if (kind == kModel) {
    speaking_.try_emplace(step);
    return;
  }
  if (calls_.contains(step)) return;  // another attempt at it
  Item item;
  item.kind = Item::Kind::kCall;
  item.name = text_of(data, "name");
  item.arguments = text_of(data, "arguments");
  if (const auto begun = begin(std::move(item))) calls_[step] = *begun;
}

// A delta at an offset that is covered already was seen before; a new attempt starts from nothing.
void RunFold::delta(const Json& data) {
  const auto found = speaking_.find(text_of(data, "step"));
  if (found == speaking_.end()) return;
  Speaking& speaking = found->second;
  const auto attempt = number_of<std::uint32_t>(data, "attempt");
  if (attempt < speaking.attempt) return;
  if (attempt > speaking.attempt || is_set(data, "reset")) {
    if (speaking.item) end(*speaking.item, Item::State::kDropped);
    speaking = {.attempt = attempt};
  }
  const std::string text = text_of(data, "text");
  if (text.empty() || number_of<std::uint64_t>(data, "offset") != speaking.bytes) return;
  if (!speaking.item) speaking.item = begin(Item());
  speaking.bytes += text.size();
  say(*speaking.item, text);
}

void RunFold::model_completed(const std::string& step, const Json& data) {
  Speaking speaking;
  if (const auto found = speaking_.find(step); found != speaking_.end()) {
    speaking = found->second;
    speaking_.erase(found);
  }
  const auto calls = data.find("tool_calls");
  const bool is_last = calls == data.end() || calls->empty();
  const bool of_use = !data.contains("mend");
  limit_ = text_of(data, "stop") == "max_tokens" ? "max_output_tokens" : "";
  // Nobody may have watched it speak.
  if (const std::string said = text_of(data, "text"); !speaking.item && of_use && !said.empty()) {
    speaking.item = begin(Item());
    say(*speaking.item, said);
  }
  if (!speaking.item) return;
  items_[*speaking.item].is_last = is_last && of_use;
  end(*speaking.item, of_use ? Item::State::kDone : Item::State::kDropped);
}

void RunFold::call_ended(const std::string& step, const Json& data, bool failed) {
  const auto found = calls_.find(step);
  if (found == calls_.end()) return;
  const std::size_t at = found->second;
  calls_.erase(found);
  const std::string text = text_of(data, failed && data.contains("error") ? "error" : "result");
  const std::string_view kept = cut_text(text, kMaxText - std::min(bytes_, kMaxText));
  items_[at].text = std::string(kept);
  bytes_ += kept.size();
  end(at, failed ? Item::State::kFailed : Item::State::kDone);
}

void RunFold::step_failed(const std::string& step, const Json& data) {
  if (const auto found = speaking_.find(step); found != speaking_.end()) {
    if (found->second.item) end(*found->second.item, Item::State::kDropped);
    speaking_.erase(found);
  }
  call_ended(step, data, true);
}

void RunFold::approval_requested(const Json& data) {
  const std::string id = text_of(data, "approval");
  if (id.empty() || pending_.contains(id)) return;
  Item item;
  item.kind = Item::Kind::kApproval;
  item.approval = id;
  item.name = text_of(data, "tool");
  item.arguments = text_of(data, "arguments");
  item.reason = text_of(data, "reason");
  const std::size_t at = *begin(std::move(item));
  pending_[id] = at;
  end(at, Item::State::kDone);  // the question is whole; its answer is no part of it
  wait("approval");
}

void RunFold::approval_decided(const Json& data) {
  const auto found = pending_.find(text_of(data, "approval"));
  if (found == pending_.end()) return;
  const std::size_t at = found->second;
  items_[at].decided = text_of(data, "outcome");
  pending_.erase(found);
  tell(What::kDecided, at);
  if (pending_.empty()) wait(held_ ? "resume" : "");
}

void RunFold::ended(const platform::Event& happened, const Json& data) {
  ended_ = runs::run_status_by_name(text_of(data, "status")).value_or(runs::RunStatus::kFailed);
  ended_at_ = happened.at;
  waiting_on_.clear();
  for (std::size_t i = 0; i < items_.size(); ++i) end(i, Item::State::kCut);
  const std::string reason = text_of(data, "reason");
  if (ended_ == runs::RunStatus::kCompleted) {
    if (const auto result = data.find("result"); result != data.end())
      output_ = result->is_object() ? text_of(*result, "output") : text_of(data, "result");
    if (reason == "max_iterations") limit_ = reason;
  } else {
    reason_ = reason;
    if (const auto error = data.find("error"); error != data.end() && error->is_object())
      error_ = text_of(*error, "message");
  }
  tell(What::kEnded);
}

runs::RunStatus RunFold::status() const {
  if (ended_) return *ended_;
  return started_ ? runs::RunStatus::kRunning : runs::RunStatus::kQueued;
}

}  // namespace holdfast::openai
