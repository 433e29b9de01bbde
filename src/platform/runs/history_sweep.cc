#include "runs/history_sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "runs/run_approvals.h"
#include "runs/run_standing.h"

namespace holdfast::runs {

namespace {

using platform::GoneHistory;
using std::chrono::milliseconds;

// One transaction forgets so many.
constexpr std::size_t kBatch = 64;
// Of a round: so many runs are asked about, then there is a pause.
constexpr std::uint32_t kPage = 20;
constexpr milliseconds kPagePause{1000};
constexpr milliseconds kFirstRound{60'000};
constexpr milliseconds kRoundPause{600'000};
// The engine may not know yet what was just stored here.
constexpr std::chrono::minutes kTooYoung{60};

}  // namespace

void HistorySweep::begin() {
  later(kFirstRound, [self = self(this)] { self->look(""); });
}

void HistorySweep::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  news_.clear();
}

void HistorySweep::news(const std::string& run) {
  std::lock_guard lock(mutex_);
  if (stopped_ || news_.size() >= kMaxNews) return;
  news_.push_back(run);
  if (news_.size() == 1) deps_.executor->post([self = self(this)] { self->take_news(); });
}

// A batch at a time, so that others of the executor get their turn.
void HistorySweep::take_news() {
  std::vector<std::string> runs;
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < std::min(kBatch, news_.size()); ++i) runs.push_back(news_[i]);
  }
  std::vector<GoneHistory> found;
  for (const std::string& run : runs) {
    if (auto one = gone(run)) found.push_back(*std::move(one));
  }
  forget(found);
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  news_.erase(news_.begin(), news_.begin() + static_cast<std::ptrdiff_t>(runs.size()));
  if (!news_.empty()) deps_.executor->post([self = self(this)] { self->take_news(); });
}

void HistorySweep::look(const std::string& after) {
  auto page = deps_.streams->logs(after, kPage);
  std::vector<GoneHistory> found;
  if (page) {
    const WallTime young = deps_.clock->now() - kTooYoung;
    for (const std::string& run : *page) {
      auto record = deps_.store->run(run);
      if (record && record->created_at > young && !is_known_gone(run)) continue;
      if (auto one = gone(run)) found.push_back(*std::move(one));
    }
    forget(found);
  }
  if (!page || page->size() < kPage) {
    return later(kRoundPause, [self = self(this)] { self->look(""); });
  }
  later(kPagePause, [self = self(this), last = page->back()] { self->look(last); });
}

// Of such a run the log alone was left by a process that died.
bool HistorySweep::is_known_gone(const std::string& run) const {
  const auto gone = deps_.store->gone_history(run);
  return gone && *gone;
}

std::optional<GoneHistory> HistorySweep::gone(const std::string& run) const {
  auto record = deps_.store->run(run);
  if (record && !record->started_at) return std::nullopt;
  // A workflow that is none of ours has none of these.
  auto log = deps_.streams->read(run, "", 1);
  auto unkept = deps_.store->unkept_run(run);
  if (!log || !unkept || (!record && log->events.empty() && !*unkept)) return std::nullopt;
  auto description = deps_.client->workflow(run).describe();
  if (description || !is_gone(description.error())) return std::nullopt;
  return last_words(*deps_.streams, run);
}

bool HistorySweep::forget_run(const std::string& run) {
  auto one = gone(run);
  return one && forget({*std::move(one)});
}

// The log last: it is what the next round finds the run by.
bool HistorySweep::forget(const std::vector<GoneHistory>& gone) {
  if (gone.empty()) return true;
  for (const GoneHistory& one : gone) expire_approvals(*deps_.store, one.run, deps_.log);
  Status forgotten = deps_.store->forget_histories(gone);
  std::vector<std::string> runs;
  for (const GoneHistory& one : gone) runs.push_back(one.run);
  if (forgotten.ok()) forgotten = deps_.streams->erase(runs);
  if (!forgotten.ok())
    deps_.log(fmt::format("what deleted runs leave was not deleted: {}", forgotten.message()));
  return forgotten.ok();
}

}  // namespace holdfast::runs
