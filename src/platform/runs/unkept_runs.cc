#include "runs/unkept_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "platform/audit_rules.h"
#include "runs/run_standing.h"
#include "runs/run_status.h"

namespace holdfast::runs {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMaxPause{600'000};
constexpr std::uint32_t kPage = 50;
constexpr milliseconds kPagePause{100};
constexpr milliseconds kRoundPause{600'000};
constexpr std::string_view kWhy = "it was started so that nothing of it is kept";

}  // namespace

void UnkeptRuns::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

// ---- rounds: after a restart, and for what a run began as it ended

void UnkeptRuns::recover() {
  deps_.executor->post([self = self(this)] { self->recover_page(""); });
}

// A page at a time, so that others of the executor get their turn.
void UnkeptRuns::recover_page(const std::string& after) {
  const auto page = deps_.store->unkept_runs("", after, kPage);
  if (page) {
    for (const platform::UnkeptRun& one : *page) adopt(one.run);
  } else {
    deps_.log("the runs that are not kept cannot be read: " + std::string(page.error().message()));
  }
  if (!page || page->size() < kPage)
    return later(kRoundPause, [self = self(this)] { self->recover_page(""); });
  later(kPagePause, [self = self(this), last = page->back().run] { self->recover_page(last); });
}

void UnkeptRuns::adopt(const std::string& run) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  states_.try_emplace(run);
  deps_.executor->post([self = self(this), run] { self->look(run); });
}

// ---- who is being told

std::shared_ptr<Telling> UnkeptRuns::tell(const std::string& run) {
  {
    const std::lock_guard lock(mutex_);
    if (states_.contains(run)) return begin_telling(run);
  }
  const auto unkept = deps_.store->unkept_run(run);
  if (!unkept || !*unkept || (*unkept)->forgotten_at) return nullptr;
  const std::lock_guard lock(mutex_);
  return begin_telling(run);
}

// Mutex held.
std::shared_ptr<Telling> UnkeptRuns::begin_telling(const std::string& run) {
  State& state = states_[run];
  if (state.going) return nullptr;
  ++state.tellings;
  return std::make_shared<Telling>([weak = std::weak_ptr(self(this)), run](bool told) {
    if (const auto there = weak.lock()) there->end_telling(run, told);
  });
}

void UnkeptRuns::end_telling(const std::string& run, bool told) {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(run);
  if (stopped_ || found == states_.end()) return;
  found->second.told = found->second.told || told;
  if (--found->second.tellings == 0) deps_.executor->post([self = self(this), run] { self->look(run); });
}

void UnkeptRuns::closed(const std::string& run) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || !states_.contains(run)) return;
  deps_.executor->post([self = self(this), run] { self->look(run); });
}

// ---- what goes

void UnkeptRuns::look(const std::string& run) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(run);
    if (stopped_ || found == states_.end() || found->second.tellings > 0) return;
  }
  const auto unkept = deps_.store->unkept_run(run);
  if (!unkept) return look_again(run);
  if (!*unkept || (*unkept)->forgotten_at) return gone(run);
  const std::string& root = (*unkept)->root;
  if (root != run) {
    const auto above = deps_.store->unkept_run(root);
    if (!above || (*above && !(*above)->forgotten_at)) return look_again(run);  // it goes behind that one
  }
  const auto record = deps_.store->run(run);
  if (record ? !record->started_at : record.error().code() != Code::kNotFound) return look_again(run);
  const auto description = deps_.client->workflow(run).describe();
  if (!description && !is_gone(description.error())) return look_again(run);
  if (!description) return sweep_->forget_run(run) ? gone(run) : look_again(run);
  if (!is_closed(run_status(description->status))) return look_again(run);
  if (record) {
    if (const auto left = is_expected(*record, *description)) return look_again(run, *left);
  }
  remove(run, description->run_id);
}

std::optional<milliseconds> UnkeptRuns::is_expected(const platform::RunRecord& run,
                                                    const WorkflowDescription& closed) const {
  if (run.idempotency_key.empty() || !closed.close_time) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = states_.find(run.run); found != states_.end() && found->second.told)
      return std::nullopt;
  }
  const auto left = std::chrono::ceil<milliseconds>(*closed.close_time + kComesBack - deps_.clock->now());
  return left.count() > 0 ? std::optional(left) : std::nullopt;
}

void UnkeptRuns::remove(const std::string& run, const std::string& last_run_id) {
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    State& state = states_[run];
    if (state.tellings > 0) return;
    again = std::exchange(state.going, true);
    if (!again) state.pause = kFirstPause;
  }
  Status status;
  if (!again)
    status = deps_.store->audit(
        platform::rules::audit_of_request(platform::kRunDelete, run, platform::rules::kServerActor, kWhy));
  if (status.ok()) {
    status = delete_chain(run, last_run_id);
  } else {  // it is in the record before it is done
    const std::lock_guard lock(mutex_);
    states_[run].going = false;
  }
  if (!status.ok())
    deps_.log(fmt::format("run {}, of which nothing is kept, was not deleted: {}", run, status.message()));
  // Until the engine says that it does not know it.
  look_again(run);
}

// A run that went on as a new one has a history for each; the last one goes last, since by that the rest is
// found.
Status UnkeptRuns::delete_chain(const std::string& run, const std::string& last_run_id) const {
  std::string next;
  do {
    const auto page = deps_.client->list(fmt::format("WorkflowId = \"{}\"", run), kPage, next);
    if (!page) return page.error();
    for (const WorkflowDescription& one : page->workflows) {
      if (one.run_id == last_run_id) continue;
      const Status deleted = deps_.client->workflow(run, one.run_id).delete_history();
      if (!deleted.ok() && !is_gone(deleted)) return deleted;
    }
    next = page->next_page_token;
  } while (!next.empty());
  const Status deleted = deps_.client->workflow(run, last_run_id).delete_history();
  return is_gone(deleted) ? Status() : deleted;
}

void UnkeptRuns::look_again(const std::string& run, std::optional<milliseconds> pause) {
  milliseconds wait{};
  {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(run);
    if (found == states_.end()) return;
    State& state = found->second;
    wait = pause.value_or(state.pause);
    const WallTime due = deps_.clock->now() + wait;
    if (state.due && *state.due <= due) return;  // it is, before
    state.due = due;
    state.pause = std::min(state.pause * 2, kMaxPause);
  }
  later(wait, [self = self(this), run] {
    {
      const std::lock_guard lock(self->mutex_);
      if (const auto found = self->states_.find(run); found != self->states_.end()) found->second.due.reset();
    }
    self->look(run);
  });
}

// What it called comes next.
void UnkeptRuns::gone(const std::string& run) {
  std::string after;
  while (true) {
    const auto page = deps_.store->unkept_runs(run, after, kPage);
    if (!page) return look_again(run);
    for (const platform::UnkeptRun& one : *page) adopt(one.run);
    if (page->size() < kPage) break;
    after = page->back().run;
  }
  const std::lock_guard lock(mutex_);
  states_.erase(run);
}

}  // namespace holdfast::runs
