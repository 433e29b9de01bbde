#pragma once

// AsyncCalls: the calls of a client that do not block, from their start to the end of their callback.
//
// Owner: Client::Impl. Thread-safe. A callback runs on the executor that was given, exactly once; after
// close() only inline, with CANCELLED.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "api/connection.h"

namespace holdfast::client {

class AsyncCalls {
 public:
  // Both outlive this and every call.
  AsyncCalls(api::Connection& connection, Executor& executor)
      : connection_(connection), executor_(executor) {}
  ~AsyncCalls() { close(); }
  AsyncCalls(const AsyncCalls&) = delete;
  AsyncCalls& operator=(const AsyncCalls&) = delete;

  // Never blocks. One attempt: what to do about a transient failure is the caller's to say.
  void start(api::Method method, api::MessagePtr request, MonotonicTime deadline, api::Completion done);

  // Cancels what waits and returns when every callback has run. Not from a callback.
  void close();

 private:
  api::Connection& connection_;
  Executor& executor_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool closed_ = false;                                              // guarded by mutex_
  std::uint64_t next_call_ = 0;                                      // guarded by mutex_
  std::map<std::uint64_t, std::shared_ptr<api::CallHandle>> calls_;  // guarded by mutex_
};

}  // namespace holdfast::client
