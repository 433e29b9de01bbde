#include <algorithm>

#include "client/convert.h"
#include "worker/activity_worker.h"

namespace holdfast::worker {

ActivityRun::ActivityRun(Courier& courier, std::string namespace_name, std::string identity,
                         std::string task_token, Duration heartbeat_interval)
    : courier_(courier),
      namespace_name_(std::move(namespace_name)),
      identity_(std::move(identity)),
      task_token_(std::move(task_token)),
      interval_(heartbeat_interval) {}

void ActivityRun::heartbeat(std::vector<Payload> details) {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  unsent_ = std::move(details);
  if (in_flight_) return;  // sent when that one is answered
  const auto now = courier_.clock().monotonic();
  if (!last_sent_ || now - *last_sent_ >= interval_) {
    send_locked();
  } else if (!flush_planned_) {
    flush_planned_ = true;
    courier_.later(*last_sent_ + interval_ - now, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->flush();
    });
  }
}

void ActivityRun::flush() {
  std::lock_guard lock(mutex_);
  flush_planned_ = false;
  if (!finished_ && !in_flight_ && unsent_) send_locked();
}

void ActivityRun::send_locked() {
  auto request = std::make_unique<ws::RecordActivityTaskHeartbeatRequest>();
  request->set_task_token(task_token_);
  request->set_namespace_(namespace_name_);
  request->set_identity(identity_);
  client::set_payloads(*std::exchange(unsent_, std::nullopt), request->mutable_details());
  in_flight_ = true;
  last_sent_ = courier_.clock().monotonic();
  courier_.later(std::chrono::nanoseconds(0),
                 [self = shared_from_this(), sent = std::move(request)]() mutable {
                   Courier& courier = self->courier_;
                   courier.call(api::Method::kRecordActivityTaskHeartbeat, std::move(sent), nullptr,
                                [self](Result<api::MessagePtr> result) { self->on_sent(std::move(result)); });
                 });
}

void ActivityRun::on_sent(Result<api::MessagePtr> result) {
  bool cancel_now = false;
  {
    std::lock_guard lock(mutex_);
    in_flight_ = false;
    if (result) {
      cancel_now = static_cast<ws::RecordActivityTaskHeartbeatResponse*>(result->get())->cancel_requested();
    } else {
      // The attempt timed out, or its workflow is gone.
      cancel_now = result.error().code() == Code::kNotFound;
    }
    if (unsent_ && !finished_ && !flush_planned_) {
      flush_planned_ = true;
      courier_.later(
          std::max<Duration>(*last_sent_ + interval_ - courier_.clock().monotonic(), Duration::zero()),
          [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->flush();
          });
    }
  }
  if (cancel_now) cancel(true);
}

bool ActivityRun::is_cancelled() const {
  std::lock_guard lock(mutex_);
  return cancelled_;
}

bool ActivityRun::wait_cancelled(Duration at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [this] { return cancelled_; });
}

void ActivityRun::cancel(bool by_engine) {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (by_engine) cancelled_by_engine_ = true;
  changed_.notify_all();
}

bool ActivityRun::cancelled_by_engine() const {
  std::lock_guard lock(mutex_);
  return cancelled_by_engine_;
}

std::optional<std::vector<Payload>> ActivityRun::finish() {
  std::lock_guard lock(mutex_);
  finished_ = true;
  return std::exchange(unsent_, std::nullopt);
}

}  // namespace holdfast::worker
