#include "interop/run_stream.h"

#include "base/json.h"

namespace holdfast::interop {

Status RunStream::open(runs::Runs& runs, const std::string& run, std::string_view mark) {
  events_ = RunEvents(mark);
  const runs::RunWatch::Place from = {{run, events_.cursor()}};
  auto watch = runs.watch({run}, from, platform::Deltas::kCommitted, [wake = wake_] { wake->call(); });
  if (!watch) return watch.error();
  watch_ = *std::move(watch);
  return {};
}

Result<bool> RunStream::take(const Seen& seen) {
  return watch_->take([&](const std::string&, const platform::Event* event) {
    shown_.clear();
    const RunEvents::Seen keep = [this](RunEvent&& one) { shown_.push_back(std::move(one)); };
    if (event == nullptr) {
      events_.reset(keep);
    } else {
      events_.apply(*event, keep);
    }
    const std::string behind = events_.mark();
    for (std::size_t i = 0; i < shown_.size(); ++i)
      seen(std::move(shown_[i]), i + 1 == shown_.size() ? behind : std::string());
  });
}

void RunStream::Wake::bind(std::shared_ptr<net::Stream> to) {
  std::lock_guard lock(mutex_);
  stream_ = to;
}

void RunStream::Wake::call() {
  std::shared_ptr<net::Stream> target;
  {
    std::lock_guard lock(mutex_);
    target = stream_.lock();
  }
  if (target) target->wake();
}

std::optional<RunEvent> end_of(const runs::RunDetails& details) {
  const runs::Standing& standing = details.summary.standing;
  if (!is_closed(standing.status) || !standing.outcome) return std::nullopt;
  RunEvent out{.what = RunEvent::What::kClosed};
  out.name = to_string(standing.status);
  out.is_error = standing.status != runs::RunStatus::kCompleted;
  if (out.is_error) {
    out.id = standing.outcome->error_type;
    out.text = standing.outcome->error_message;
    return out;
  }
  const auto result = parse_or_string<nlohmann::ordered_json>(standing.outcome->result);
  if (!result.is_object()) {
    out.text = result.is_string() ? result.get<std::string>() : dump_json(result);
  } else if (const auto found = result.find("output"); found != result.end()) {
    out.text = found->is_string() ? found->get<std::string>() : dump_json(*found);
  }
  return out;
}

}  // namespace holdfast::interop
