#include "runs/run_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "base/json.h"
#include "protocol/events.h"
#include "protocol/words.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kPage = 1000;

enum class StepStatus : std::uint8_t {
  kRunning,
  kRetrying,
  kCompleted,
  kFailed,
  kStopped,  // open when the run closed
};
using protocol::Word;
constexpr protocol::Words kStatuses("status of a step", {Word{StepStatus::kRunning, "running"},
                                                         Word{StepStatus::kRetrying, "retrying"},
                                                         Word{StepStatus::kCompleted, "completed"},
                                                         Word{StepStatus::kFailed, "failed"},
                                                         Word{StepStatus::kStopped, "stopped"}});
// How a step stands after an event of that type.
constexpr protocol::Words kEvents("event of a step",
                                  {Word{StepStatus::kRunning, protocol::event::kStepStarted},
                                   Word{StepStatus::kRetrying, protocol::event::kStepRetrying},
                                   Word{StepStatus::kCompleted, protocol::event::kStepCompleted},
                                   Word{StepStatus::kFailed, protocol::event::kStepFailed}});

bool is_open(StepStatus status) {
  return status == StepStatus::kRunning || status == StepStatus::kRetrying;
}

struct Step {
  Json json;
  StepStatus status = StepStatus::kRunning;

  void set(StepStatus now) {
    status = now;
    json["status"] = kStatuses.text(now);
  }
};

std::string step_key(const Json& data) {
  auto found = data.find("step");
  if (found == data.end()) return "";
  return found->is_string() ? found->get<std::string>() : dump_json(*found);
}

}  // namespace

struct RunView::Impl {
  struct Text {
    std::uint32_t attempt = 0;
    std::string text;
  };
  std::map<std::string, Step> steps;
  std::vector<std::string> order;
  std::map<std::string, Text> texts;
  std::string last_text_step;
  std::string nothing;
  std::optional<std::string> closed;
  WallTime closed_at;

  Step& step(const std::string& key, const Json& data) {
    auto found = steps.find(key);
    if (found != steps.end()) return found->second;
    if (order.size() >= kMaxSteps) {
      steps.erase(order.front());
      texts.erase(order.front());
      order.erase(order.begin());
    }
    order.push_back(key);
    Step& step = steps[key];
    step.json["step"] = data.at("step");
    step.set(StepStatus::kRunning);
    return step;
  }

  // Nobody waits any more for what a cancelled or terminated run was doing; what ends all the same says so.
  void stop_if_open(Step& step) const {
    if (!is_open(step.status)) return;
    step.set(StepStatus::kStopped);
    step.json["ended_at"] = iso_time(closed_at);
  }

  // Its text is what the model said, until another step has some.
  void completed(const std::string& key, const Json& data) {
    texts.erase(key);
    if (last_text_step == key) last_text_step.clear();
    const auto text = data.find("text");
    if (text == data.end() || !text->is_string() || text->get_ref<const std::string&>().empty()) return;
    texts[key] = {~0U, text->get<std::string>()};
    last_text_step = key;
  }

  // A delta at an offset that is covered already was seen before; a new attempt starts from nothing.
  void delta(const std::string& key, const Json& data) {
    auto attempt = data.value("attempt", 0U);
    Text& text = texts[key];
    if (attempt < text.attempt) return;
    if (attempt > text.attempt || data.value("reset", false)) text = {attempt, ""};
    last_text_step = key;
    auto offset = data.value("offset", std::uint64_t{0});
    std::string piece = data.value("text", "");
    if (offset == text.text.size() && text.text.size() + piece.size() <= kMaxPartialBytes) text.text += piece;
  }
};

RunView::RunView() : impl_(std::make_unique<Impl>()) {}
RunView::~RunView() = default;
RunView::RunView(RunView&&) noexcept = default;
RunView& RunView::operator=(RunView&&) noexcept = default;

void RunView::apply(const platform::Event& event) {
  if (event.type == protocol::event::kRunClosed) {
    impl_->closed = event.data;
    impl_->closed_at = event.at;
    for (auto& [key, step] : impl_->steps) impl_->stop_if_open(step);
    return;
  }
  bool is_delta = event.type == platform::kDeltaEvent;
  if (!is_delta && !event.type.starts_with("step.")) return;
  Json data = parse_json<Json>(event.data);
  if (!data.is_object()) return;
  std::string key = step_key(data);
  if (key.empty()) return;
  if (is_delta) return impl_->delta(key, data);

  Step& step = impl_->step(key, data);
  for (auto& [name, value] : data.items()) step.json[name] = value;
  if (auto status = kEvents.find(event.type)) {
    step.set(*status);
    if (*status == StepStatus::kRunning) {
      if (!step.json.contains("started_at")) step.json["started_at"] = iso_time(event.at);
      step.json.erase("error");
    } else if (!is_open(*status)) {
      step.json["ended_at"] = iso_time(event.at);
    }
    if (*status == StepStatus::kCompleted) impl_->completed(key, data);
  }
  if (impl_->closed) impl_->stop_if_open(step);
}

// Steps that run side by side stand in their order, not in that of their starts.
std::string RunView::steps_json() const {
  std::vector<std::pair<double, const Json*>> sorted;
  for (const std::string& key : impl_->order) {
    const Json& step = impl_->steps.at(key).json;
    sorted.emplace_back(step["step"].is_number() ? step["step"].get<double>() : 0, &step);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Json out = Json::array();
  for (const auto& [number, step] : sorted) out.push_back(*step);
  return dump_json(out);
}

const std::string& RunView::partial_output() const {
  auto found = impl_->texts.find(impl_->last_text_step);
  return found == impl_->texts.end() ? impl_->nothing : found->second.text;
}

std::optional<std::string> RunView::closed_json() const {
  return impl_->closed;
}

std::shared_ptr<RunViews::Entry> RunViews::entry(const std::string& run) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(run);
  if (found != entries_.end()) {
    recent_.remove(run);
  } else {
    if (entries_.size() >= kMaxViews) {
      entries_.erase(recent_.back());
      recent_.pop_back();
    }
    found = entries_.emplace(run, std::make_shared<Entry>()).first;
  }
  recent_.push_front(run);
  return found->second;
}

Result<RunViews::Snapshot> RunViews::snapshot(const std::string& run) {
  std::shared_ptr<Entry> at = entry(run);
  std::lock_guard lock(at->mutex);
  while (true) {
    auto page = streams_.read(run, at->cursor, kPage);
    if (!page) return std::unexpected(page.error());
    if (page->reset) at->view = RunView();
    for (const platform::Event& event : page->events) at->view.apply(event);
    at->cursor = page->cursor;
    if (page->events.size() < kPage) break;
  }
  return Snapshot{at->view.steps_json(), at->view.partial_output(), at->view.closed_json(), at->cursor};
}

}  // namespace holdfast::runs
