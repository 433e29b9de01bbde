#pragma once

// One engine, one client, and workers of the test's making; every test runs on every engine there is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>

#include "backend.h"
#include "base/ids.h"
#include "holdfast/holdfast.h"

namespace holdfast::e2e {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Something that a test waits for, set by an activity or workflow on another thread.
class Latch {
 public:
  void set() {
    std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait(std::chrono::seconds at_most = 20s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class Sdk : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    backend_ = make_backend(GetParam());
    client_ = std::make_unique<Client>(backend_->connection(), environment());
    queue_ = "queue-" + unique();
  }
  void TearDown() override {
    worker_.reset();
    client_.reset();
    backend_.reset();
  }

  static std::string unique() { return new_uuid(environment().random()).substr(0, 8); }

  WorkerOptions options() const {
    return WorkerOptions(queue_)
        .in_process(backend_->in_process())
        .log([this](workflow::LogLevel level, std::string_view message) {
          std::lock_guard lock(log_mutex_);
          log_ += std::string(message) + "\n";
          if (std::getenv("HOLDFAST_E2E_VERBOSE") != nullptr || level >= workflow::LogLevel::kError) {
            std::cerr << message << '\n';
          }
        });
  }
  std::string logged() const {
    std::lock_guard lock(log_mutex_);
    return log_;
  }
  Worker& new_worker() {
    worker_ = std::make_unique<Worker>(backend_->connection(), environment(), options());
    return *worker_;
  }
  void start_worker() {
    const Status status = worker_->start();
    ASSERT_TRUE(status.ok()) << status.to_string();
  }
  StartOptions start_options() const { return StartOptions("wf-" + unique(), queue_); }
  template <typename... A>
  WorkflowHandle start(const std::string& type, const A&... args) {
    auto handle = client_->start(type, start_options(), args...);
    if (!handle) throw std::runtime_error("start: " + handle.error().to_string());
    return *handle;
  }
  // The result, or the failure as text.
  template <typename R>
  static R result(const WorkflowHandle& handle) {
    auto outcome = handle.result<R>(30s);
    if (!outcome) throw std::runtime_error("result: " + outcome.error().to_string());
    if (!outcome->ok()) throw std::runtime_error("workflow: " + outcome->error().to_string());
    return outcome->value();
  }
  static FailurePtr failure(const WorkflowHandle& handle) {
    auto outcome = handle.result_raw(30s);
    if (!outcome) throw std::runtime_error("result: " + outcome.error().to_string());
    if (outcome->ok()) throw std::runtime_error("the workflow completed");
    return outcome->failure();
  }

  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Worker> worker_;
  std::string queue_;
  mutable std::mutex log_mutex_;
  mutable std::string log_;
};

inline ActivityOptions quick() {
  return ActivityOptions().start_to_close(10s);
}

}  // namespace holdfast::e2e
