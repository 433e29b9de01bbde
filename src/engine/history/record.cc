#include "history/record.h"

#include <algorithm>

#include "history/activity.h"

namespace holdfast::history {
namespace {

using Ids = std::unordered_map<std::string, std::int64_t>;

// A name may have passed to a younger entry by now.
void forget(Ids& ids, const std::string& name, std::int64_t n) {
  const auto found = ids.find(name);
  if (found != ids.end() && found->second == n) ids.erase(found);
}

template <typename Info>
const Info* by_name(const Entries<Info>& table, const Ids& ids, const std::string& name) {
  const auto found = ids.find(name);
  return found == ids.end() ? nullptr : table.find(found->second);
}

// The activity whose end the event is; 0: it is none.
std::int64_t activity_that_ends(const Event& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return event.activity_task_completed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return event.activity_task_failed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return event.activity_task_timed_out_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return event.activity_task_canceled_event_attributes().scheduled_event_id();
    default: return 0;
  }
}

std::int64_t details_bytes(const stored::ActivityInfo& info) {
  return info.has_heartbeat_details() ? static_cast<std::int64_t>(info.heartbeat_details().ByteSizeLong())
                                      : 0;
}

}  // namespace

Record::Record(stored::ExecutionState whole) : s_(std::move(whole)), held_(take_holdings(s_)) {
  make_indexes();
}

Record::Record(stored::ExecutionState head, Holdings held) : s_(std::move(head)), held_(std::move(held)) {
  make_indexes();
}

void Record::make_indexes() {
  for_each_kind(held_, [this](const auto&, const auto& table) {
    table.visit([this](std::int64_t n, const auto& info) { this->enter(n, info); });
  });
  rebuild_deadlines(*this);
}

stored::ExecutionState Record::whole() const {
  stored::ExecutionState state = s_;
  add_holdings(held_, state);
  return state;
}

std::int64_t Record::part_rows() const {
  std::int64_t rows = 0;
  for_each_kind(held_, [&](const auto&, const auto& table) { rows += table.own_rows(); });
  return rows;
}

std::size_t Record::in_memory() const {
  std::size_t bytes = s_.SpaceUsedLong();
  for_each_kind(held_, [&](const auto&, const auto& table) { bytes += table.in_memory(); });
  return bytes;
}

void Record::begin() {
  before_ = std::make_unique<stored::ExecutionState>(s_);
  for_each_kind(held_, [](const auto&, auto& table) { table.begin(); });
}

void Record::keep() {
  before_.reset();
  for_each_kind(held_, [](const auto&, auto& table) { table.keep(); });
}

void Record::rollback() {
  s_ = std::move(*before_);
  before_.reset();
  for_each_kind(held_, [this](const auto&, auto& table) {
    auto before = table.take_before();
    for (const auto& [n, entry] : before) this->erase(table, n);
    for (auto& [n, entry] : before) {
      if (!entry) continue;
      table.put_back(n, *std::move(entry));
      this->enter(n, *table.find(n));
    }
  });
  rebuild_deadlines(*this);
}

template <typename Info>
Info& Record::add(Entries<Info>& table, std::int64_t n, Info info) {
  Info& added = table.add(n, std::move(info));
  enter(n, added);
  return added;
}

template <typename Info>
void Record::erase(Entries<Info>& table, std::int64_t n) {
  const Info* info = table.find(n);
  if (info == nullptr) return;
  leave(n, *info);
  table.erase(n);
}

void Record::set_deadline(DeadlineKind kind, std::int64_t id, Ns at) {
  const auto key = std::pair(kind, id);
  const auto found = deadline_of_.find(key);
  if (found != deadline_of_.end()) {
    if (found->second == at) return;
    deadlines_.erase({found->second, kind, id});
    if (at == 0) {
      deadline_of_.erase(found);
      return;
    }
    found->second = at;
  } else if (at == 0) {
    return;
  } else {
    deadline_of_.emplace(key, at);
  }
  deadlines_.insert({at, kind, id});
}

// --- activities

void Record::enter(std::int64_t n, const stored::ActivityInfo& info) {
  activity_ids_[info.activity_id()] = n;
  heartbeat_details_bytes_ += details_bytes(info);
  if (running()) activity::refresh_deadline(*this, info);
}

void Record::leave(std::int64_t n, const stored::ActivityInfo& info) {
  set_deadline(DeadlineKind::kActivity, n, 0);
  forget(activity_ids_, info.activity_id(), n);
  heartbeat_details_bytes_ -= details_bytes(info);
}

const stored::ActivityInfo* Record::activity(std::int64_t scheduled_event_id) const {
  return held_.activities.find(scheduled_event_id);
}

stored::ActivityInfo* Record::activity(std::int64_t scheduled_event_id) {
  return held_.activities.change(scheduled_event_id);
}

const stored::ActivityInfo* Record::activity_by_id(const std::string& activity_id) const {
  return by_name(held_.activities, activity_ids_, activity_id);
}

stored::ActivityInfo& Record::add_activity(std::int64_t scheduled_event_id, const std::string& activity_id) {
  stored::ActivityInfo info;
  info.set_scheduled_event_id(scheduled_event_id);
  info.set_activity_id(activity_id);
  return add(held_.activities, scheduled_event_id, std::move(info));
}

void Record::erase_activity(std::int64_t scheduled_event_id) {
  erase(held_.activities, scheduled_event_id);
}

void Record::set_heartbeat_details(std::int64_t scheduled_event_id, pb::common::v1::Payloads* details) {
  auto* info = activity(scheduled_event_id);
  if (info == nullptr) return;
  heartbeat_details_bytes_ -= details_bytes(*info);
  info->mutable_heartbeat_details()->Swap(details);
  heartbeat_details_bytes_ += details_bytes(*info);
}

// --- timers

void Record::enter(std::int64_t n, const stored::TimerInfo& info) {
  timer_ids_[info.timer_id()] = n;
  set_deadline(DeadlineKind::kTimer, n, info.fire_ns());
}

void Record::leave(std::int64_t n, const stored::TimerInfo& info) {
  set_deadline(DeadlineKind::kTimer, n, 0);
  forget(timer_ids_, info.timer_id(), n);
}

const stored::TimerInfo* Record::timer(std::int64_t started_event_id) const {
  return held_.timers.find(started_event_id);
}

const stored::TimerInfo* Record::timer_by_id(const std::string& timer_id) const {
  return by_name(held_.timers, timer_ids_, timer_id);
}

void Record::add_timer(stored::TimerInfo info) {
  const std::int64_t n = info.started_event_id();
  add(held_.timers, n, std::move(info));
}

void Record::erase_timer(std::int64_t started_event_id) {
  erase(held_.timers, started_event_id);
}

// --- children

void Record::enter(std::int64_t n, const stored::ChildInfo& info) {
  if (info.start_pending()) children_to_start_.insert(n);
}

void Record::leave(std::int64_t n, const stored::ChildInfo& info) {
  if (info.start_pending()) children_to_start_.erase(n);
}

const stored::ChildInfo* Record::child(std::int64_t initiated_event_id) const {
  return held_.children.find(initiated_event_id);
}

void Record::add_child(stored::ChildInfo info) {
  const std::int64_t n = info.initiated_event_id();
  add(held_.children, n, std::move(info));
}

void Record::child_started(std::int64_t initiated_event_id, const std::string& run_id,
                           std::int64_t started_event_id) {
  auto* info = held_.children.change(initiated_event_id);
  if (info == nullptr) return;
  leave(initiated_event_id, *info);
  info->set_run_id(run_id);
  info->set_started_event_id(started_event_id);
  info->set_start_pending(false);
}

void Record::set_child_request(std::int64_t initiated_event_id, const std::string& request_id) {
  if (auto* info = held_.children.change(initiated_event_id)) info->set_request_id(request_id);
}

void Record::erase_child(std::int64_t initiated_event_id) {
  erase(held_.children, initiated_event_id);
}

void Record::add_parent_close(stored::ChildInfo info) {
  const std::int64_t n = info.initiated_event_id();
  held_.parent_closes.add(n, std::move(info));
}

void Record::erase_parent_close(std::int64_t initiated_event_id) {
  held_.parent_closes.erase(initiated_event_id);
}

// --- what was asked of other executions

const stored::ExternalSignalInfo* Record::external_signal(std::int64_t initiated_event_id) const {
  return held_.external_signals.find(initiated_event_id);
}

stored::ExternalSignalInfo* Record::external_signal(std::int64_t initiated_event_id) {
  return held_.external_signals.change(initiated_event_id);
}

void Record::add_external_signal(stored::ExternalSignalInfo info) {
  const std::int64_t n = info.initiated_event_id();
  add(held_.external_signals, n, std::move(info));
}

void Record::erase_external_signal(std::int64_t initiated_event_id) {
  erase(held_.external_signals, initiated_event_id);
}

const stored::ExternalCancelInfo* Record::external_cancel(std::int64_t initiated_event_id) const {
  return held_.external_cancels.find(initiated_event_id);
}

stored::ExternalCancelInfo* Record::external_cancel(std::int64_t initiated_event_id) {
  return held_.external_cancels.change(initiated_event_id);
}

void Record::add_external_cancel(stored::ExternalCancelInfo info) {
  const std::int64_t n = info.initiated_event_id();
  add(held_.external_cancels, n, std::move(info));
}

void Record::erase_external_cancel(std::int64_t initiated_event_id) {
  erase(held_.external_cancels, initiated_event_id);
}

// --- updates

void Record::enter(std::int64_t n, const stored::UpdateInfo& info) {
  update_ids_[info.update_id()] = n;
}

void Record::leave(std::int64_t n, const stored::UpdateInfo& info) {
  forget(update_ids_, info.update_id(), n);
}

const stored::UpdateInfo* Record::update_by_id(const std::string& update_id) const {
  return by_name(held_.updates, update_ids_, update_id);
}

void Record::add_update(stored::UpdateInfo info) {
  const std::int64_t n = info.accepted_event_id();
  add(held_.updates, n, std::move(info));
}

void Record::update_completed(std::int64_t accepted_event_id, std::int64_t completed_event_id) {
  if (auto* info = held_.updates.change(accepted_event_id)) info->set_completed_event_id(completed_event_id);
}

// --- signals, by their request ids

void Record::enter(std::int64_t /*n*/, const std::string& signal_request_id) {
  signal_requests_.insert(signal_request_id);
}

void Record::leave(std::int64_t /*n*/, const std::string& signal_request_id) {
  signal_requests_.erase(signal_request_id);
}

void Record::remember_signal(const std::string& request_id) {
  if (signal_seen(request_id)) return;
  add(held_.signal_request_ids, held_.signal_request_ids.next_n(), request_id);
}

// --- buffered events

void Record::enter(std::int64_t n, const Event& buffered) {
  buffered_bytes_ += bytes_of(buffered);
  if (const std::int64_t of = activity_that_ends(buffered); of != 0) buffered_ends_.insert(of);
  if (buffered.has_timer_fired_event_attributes())
    buffered_fires_.try_emplace(buffered.timer_fired_event_attributes().timer_id(), n);
}

void Record::leave(std::int64_t n, const Event& buffered) {
  buffered_bytes_ -= bytes_of(buffered);
  if (const std::int64_t of = activity_that_ends(buffered); of != 0) buffered_ends_.erase(of);
  if (buffered.has_timer_fired_event_attributes())
    forget(buffered_fires_, buffered.timer_fired_event_attributes().timer_id(), n);
}

const Event& Record::buffer(Event event) {
  return add(held_.buffered_events, held_.buffered_events.next_n(), std::move(event));
}

void Record::erase_buffered(std::int64_t n) {
  erase(held_.buffered_events, n);
}

std::vector<Event> Record::take_buffered() {
  std::vector<Event> events;
  events.reserve(static_cast<std::size_t>(held_.buffered_events.size()));
  held_.buffered_events.visit([&](std::int64_t n, const Event& event) { leave(n, event); });
  held_.buffered_events.take_all([&](Event&& event) { events.push_back(std::move(event)); });
  return events;
}

std::optional<std::int64_t> Record::buffered_fire(const std::string& timer_id) const {
  const auto found = buffered_fires_.find(timer_id);
  return found == buffered_fires_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace holdfast::history
