#include "history/record.h"

#include <algorithm>

namespace holdfast::history {
namespace {

constexpr auto kInitiated = [](const auto& info) { return info.initiated_event_id(); };
constexpr auto kScheduled = [](const auto& info) { return info.scheduled_event_id(); };
constexpr auto kStarted = [](const auto& info) { return info.started_event_id(); };

// Entries come in the order of their events.
template <typename Field, typename Id>
int index_of(const Field& field, std::int64_t id, Id id_of) {
  const auto found =
      std::lower_bound(field.begin(), field.end(), id,
                       [&](const auto& info, std::int64_t wanted) { return id_of(info) < wanted; });
  return found != field.end() && id_of(*found) == id ? static_cast<int>(found - field.begin()) : -1;
}

template <typename Field, typename Id>
auto* find(const Field& field, std::int64_t id, Id id_of) {
  const int index = index_of(field, id, id_of);
  return index < 0 ? nullptr : &field.Get(index);
}

template <typename Field, typename Id>
auto* find_mutable(Field* field, std::int64_t id, Id id_of) {
  const int index = index_of(*field, id, id_of);
  return index < 0 ? nullptr : field->Mutable(index);
}

template <typename Field, typename Id>
void erase(Field* field, std::int64_t id, Id id_of) {
  const int index = index_of(*field, id, id_of);
  if (index >= 0) field->DeleteSubrange(index, 1);
}

// A name may have passed to a younger entry by now.
void forget(std::unordered_map<std::string, std::int64_t>& ids, const std::string& name, std::int64_t id) {
  const auto found = ids.find(name);
  if (found != ids.end() && found->second == id) ids.erase(found);
}

std::int64_t details_bytes(const stored::ActivityInfo& info) {
  return info.has_heartbeat_details() ? static_cast<std::int64_t>(info.heartbeat_details().ByteSizeLong())
                                      : 0;
}

}  // namespace

void Record::reset(stored::ExecutionState state) {
  s_ = std::move(state);
  activity_ids_.clear();
  heartbeat_details_bytes_ = 0;
  timer_ids_.clear();
  deadline_of_.clear();
  deadlines_.clear();
  signal_requests_.clear();
  for (const auto& id : s_.signal_request_ids()) signal_requests_.insert(id);
  for (const auto& info : s_.activities()) {
    activity_ids_[info.activity_id()] = info.scheduled_event_id();
    heartbeat_details_bytes_ += details_bytes(info);
  }
  for (const auto& info : s_.timers()) {
    timer_ids_[info.timer_id()] = info.started_event_id();
    set_deadline(DeadlineKind::kTimer, info.started_event_id(), info.fire_ns());
  }
  rebuild_deadlines(*this);
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

const stored::ActivityInfo* Record::activity(std::int64_t scheduled_event_id) const {
  return find(s_.activities(), scheduled_event_id, kScheduled);
}

stored::ActivityInfo* Record::activity(std::int64_t scheduled_event_id) {
  return find_mutable(s_.mutable_activities(), scheduled_event_id, kScheduled);
}

const stored::ActivityInfo* Record::activity_by_id(const std::string& activity_id) const {
  const auto found = activity_ids_.find(activity_id);
  return found == activity_ids_.end() ? nullptr : activity(found->second);
}

stored::ActivityInfo& Record::add_activity(std::int64_t scheduled_event_id, const std::string& activity_id) {
  auto& info = *s_.add_activities();
  info.set_scheduled_event_id(scheduled_event_id);
  info.set_activity_id(activity_id);
  activity_ids_[activity_id] = scheduled_event_id;
  return info;
}

void Record::erase_activity(std::int64_t scheduled_event_id) {
  const auto* info = std::as_const(*this).activity(scheduled_event_id);
  if (info == nullptr) return;
  set_deadline(DeadlineKind::kActivity, scheduled_event_id, 0);
  forget(activity_ids_, info->activity_id(), scheduled_event_id);
  heartbeat_details_bytes_ -= details_bytes(*info);
  erase(s_.mutable_activities(), scheduled_event_id, kScheduled);
}

void Record::set_heartbeat_details(std::int64_t scheduled_event_id, pb::common::v1::Payloads* details) {
  auto* info = activity(scheduled_event_id);
  if (info == nullptr) return;
  heartbeat_details_bytes_ -= details_bytes(*info);
  info->mutable_heartbeat_details()->Swap(details);
  heartbeat_details_bytes_ += details_bytes(*info);
}

const stored::TimerInfo* Record::timer(std::int64_t started_event_id) const {
  return find(s_.timers(), started_event_id, kStarted);
}

const stored::TimerInfo* Record::timer_by_id(const std::string& timer_id) const {
  const auto found = timer_ids_.find(timer_id);
  return found == timer_ids_.end() ? nullptr : timer(found->second);
}

void Record::add_timer(stored::TimerInfo info) {
  timer_ids_[info.timer_id()] = info.started_event_id();
  set_deadline(DeadlineKind::kTimer, info.started_event_id(), info.fire_ns());
  *s_.add_timers() = std::move(info);
}

void Record::erase_timer(std::int64_t started_event_id) {
  const auto* info = timer(started_event_id);
  if (info == nullptr) return;
  set_deadline(DeadlineKind::kTimer, started_event_id, 0);
  forget(timer_ids_, info->timer_id(), started_event_id);
  erase(s_.mutable_timers(), started_event_id, kStarted);
}

const stored::ChildInfo* Record::child(std::int64_t initiated_event_id) const {
  return find(s_.children(), initiated_event_id, kInitiated);
}

stored::ChildInfo* Record::child(std::int64_t initiated_event_id) {
  return find_mutable(s_.mutable_children(), initiated_event_id, kInitiated);
}

void Record::erase_child(std::int64_t initiated_event_id) {
  erase(s_.mutable_children(), initiated_event_id, kInitiated);
}

const stored::ExternalSignalInfo* Record::external_signal(std::int64_t initiated_event_id) const {
  return find(s_.external_signals(), initiated_event_id, kInitiated);
}

stored::ExternalSignalInfo* Record::external_signal(std::int64_t initiated_event_id) {
  return find_mutable(s_.mutable_external_signals(), initiated_event_id, kInitiated);
}

void Record::erase_external_signal(std::int64_t initiated_event_id) {
  erase(s_.mutable_external_signals(), initiated_event_id, kInitiated);
}

const stored::ExternalCancelInfo* Record::external_cancel(std::int64_t initiated_event_id) const {
  return find(s_.external_cancels(), initiated_event_id, kInitiated);
}

stored::ExternalCancelInfo* Record::external_cancel(std::int64_t initiated_event_id) {
  return find_mutable(s_.mutable_external_cancels(), initiated_event_id, kInitiated);
}

void Record::erase_external_cancel(std::int64_t initiated_event_id) {
  erase(s_.mutable_external_cancels(), initiated_event_id, kInitiated);
}

void Record::remember_signal(const std::string& request_id) {
  if (signal_requests_.insert(request_id).second) s_.add_signal_request_ids(request_id);
}

}  // namespace holdfast::history
