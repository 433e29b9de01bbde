#include "client/async_calls.h"

#include <utility>
#include <vector>

namespace holdfast::client {

void AsyncCalls::start(api::Method method, api::MessagePtr request, MonotonicTime deadline,
                       api::Completion done) {
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    if (!closed_) calls_.emplace(id = ++next_call_, nullptr);
  }
  if (id == 0) return done(fail(Code::kCancelled, "the client is closed"));
  api::CallOptions options;
  options.deadline = deadline;
  options.executor = &executor_;
  auto finish = [this, id, done = std::move(done)](Result<api::MessagePtr> answer) mutable {
    done(std::move(answer));
    std::lock_guard lock(mutex_);
    calls_.erase(id);
    idle_.notify_all();
  };
  auto handle = connection_.start(method, std::move(request), options, std::move(finish));
  std::unique_lock lock(mutex_);
  auto place = calls_.find(id);
  if (place == calls_.end()) return;
  if (!closed_) {
    place->second = std::move(handle);
  } else if (handle) {
    lock.unlock();
    handle->cancel();
  }
}

void AsyncCalls::close() {
  std::vector<std::shared_ptr<api::CallHandle>> open;
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (auto& [id, handle] : calls_) {
    if (handle) open.push_back(handle);
  }
  lock.unlock();
  for (const auto& handle : open) handle->cancel();
  lock.lock();
  idle_.wait(lock, [this] { return calls_.empty(); });
}

}  // namespace holdfast::client
