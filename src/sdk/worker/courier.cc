#include "worker/courier.h"

#include <algorithm>

#include "client/call.h"

namespace holdfast::worker {

namespace {

// Whether an answer got through is unknown after these, and giving it twice does no harm: the second is
// refused as not found. Not to give it again may cost the work that it tells of.
bool is_worth_repeating(const Status& error) {
  const Code code = error.code();
  return client::is_transient(error) || code == Code::kInternal || code == Code::kUnknown ||
         code == Code::kDeadlineExceeded;
}

}  // namespace

struct Courier::Delivery {
  api::Method method;
  std::unique_ptr<google::protobuf::Message> request;
  Executor* executor;
  Done done;
  bool awaited;
  MonotonicTime give_up;
  std::chrono::milliseconds pause{50};
};

Courier::Courier(api::Connection& connection, const Clock& clock, TimerLoop& timers, LogSink log,
                 bool in_process)
    : connection_(connection),
      clock_(clock),
      timers_(timers),
      log_(std::move(log)),
      in_process_(in_process) {}

void Courier::call(api::Method method, api::MessagePtr request, Executor* executor, Done done) {
  enter();
  api::CallOptions options;
  options.executor = executor;
  options.deadline = clock_.monotonic() + kCallTimeout;
  connection_.start(method, std::move(request), options,
                    [this, done = std::move(done)](Result<api::MessagePtr> result) mutable {
                      done(std::move(result));
                      leave();
                    });
}

void Courier::deliver(api::Method method, std::unique_ptr<google::protobuf::Message> request,
                      Executor* executor, Done done, bool awaited) {
  enter();
  auto delivery = std::make_shared<Delivery>();
  delivery->method = method;
  delivery->request = std::move(request);
  delivery->executor = executor;
  delivery->done = std::move(done);
  delivery->awaited = awaited;
  delivery->give_up = clock_.monotonic() + kAnswerPatience;
  attempt(std::move(delivery));
}

void Courier::attempt(std::shared_ptr<Delivery> delivery) {
  // The message is moved into the call, and the original kept in case it has to be repeated.
  api::MessagePtr copy(delivery->request->New());
  copy->MergeFrom(*delivery->request);  // CopyFrom would first walk both, whether one is within the other
  api::CallOptions options;
  options.executor = delivery->executor;
  options.in_process_workflow_worker = in_process_ && !delivery->awaited;
  options.deadline = clock_.monotonic() + kCallTimeout;
  connection_.start(delivery->method, std::move(copy), options,
                    [this, delivery](Result<api::MessagePtr> result) {
                      const bool again = !result && is_worth_repeating(result.error()) && !stopping() &&
                                         clock_.monotonic() + delivery->pause < delivery->give_up;
                      if (again) {
                        const auto pause = delivery->pause;
                        delivery->pause = std::min(pause * 2, std::chrono::milliseconds(5000));
                        timers_.after(pause, [this, delivery] { attempt(delivery); });
                        return;
                      }
                      delivery->done(std::move(result));
                      leave();
                    });
}

bool Courier::poll(api::Method method, api::MessagePtr request, bool in_process_workflow_worker,
                   Executor* executor, Done done) {
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    ++under_way_;
    id = next_poll_++;
    polls_.emplace(id, nullptr);
  }
  api::CallOptions options;
  options.executor = executor;
  options.in_process_workflow_worker = in_process_workflow_worker;
  auto handle = connection_.start(method, std::move(request), options,
                                  [this, id, done = std::move(done)](Result<api::MessagePtr> result) mutable {
                                    {
                                      std::lock_guard lock(mutex_);
                                      polls_.erase(id);
                                    }
                                    done(std::move(result));
                                    leave();
                                  });
  bool cancel = false;
  {
    std::lock_guard lock(mutex_);
    const auto open = polls_.find(id);
    if (open != polls_.end()) {
      open->second = handle;
      cancel = stopping_;
    }
  }
  if (cancel && handle) handle->cancel();
  return true;
}

void Courier::later(std::chrono::nanoseconds delay, std::move_only_function<void()> callback) {
  timers_.after(delay, [this, callback = std::move(callback)]() mutable {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      ++under_way_;  // whoever stops meanwhile waits for it
    }
    callback();
    leave();
  });
}

void Courier::soon(std::move_only_function<void()> callback) {
  enter();
  timers_.after(std::chrono::nanoseconds(0), [this, callback = std::move(callback)]() mutable {
    callback();
    leave();
  });
}

void Courier::log_soon(workflow::LogLevel level, std::string message) {
  if (log_) soon([this, level, text = std::move(message)] { log(level, text); });
}

void Courier::enter() {
  std::lock_guard lock(mutex_);
  ++under_way_;
}

void Courier::leave() {
  // Notified under the lock: whoever drains may destroy us as soon as it is released.
  std::lock_guard lock(mutex_);
  if (--under_way_ == 0) idle_.notify_all();
}

bool Courier::stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void Courier::stop_polling() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
}

void Courier::cancel_polls() {
  std::vector<std::shared_ptr<api::CallHandle>> open;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, handle] : polls_) {
      if (handle) open.push_back(handle);
    }
  }
  for (const auto& handle : open) handle->cancel();
}

void Courier::drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return under_way_ == 0; });
}

void Courier::log(workflow::LogLevel level, const std::string& message) const {
  if (log_) log_(level, message);
}

}  // namespace holdfast::worker
