#pragma once

// An engine with its real threads, clock and disk, for tests, and the answer to one call of it.

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/messages.h"
#include "engine/engine.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "store/keys.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace holdfast::engine {

class Answer {
 public:
  api::Completion completion() {
    return [this](Result<api::MessagePtr> result) {
      std::lock_guard lock(mutex_);
      result_ = std::move(result);
      wake_.notify_all();
    };
  }
  Result<api::MessagePtr> wait() {
    std::unique_lock lock(mutex_);
    if (!wake_.wait_for(lock, std::chrono::seconds(20), [this] { return result_.has_value(); })) {
      return fail(Code::kDeadlineExceeded, "no answer in 20 s");
    }
    return std::move(*result_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Result<api::MessagePtr>> result_;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { open(); }
  ~EngineTest() override { close(); }
  void open_store() {
    store::RocksOptions rocks;
    rocks.dir = (dir_ / "db").string();
    store_ = std::move(*store::RocksStore::open(rocks));
  }
  void open() {
    open_store();
    visibility::Index::Options index;
    index.path = (dir_ / "visibility.db").string();
    index_ = std::move(*visibility::Index::open(index));
    auto opened = Engine::open(options_, *store_, clock_, random_, index_.get());
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = std::move(*opened);
  }
  void close() {
    engine_.reset();
    index_.reset();
    store_.reset();
  }
  template <typename Response, typename Request>
  Response call(api::Method method, Request request, api::CallOptions options = {}) {
    Answer answer;
    engine_->start(method, std::make_unique<Request>(std::move(request)), options, answer.completion());
    auto result = answer.wait();
    if (!result) {
      ADD_FAILURE() << api::method_name(method) << ": " << result.error().to_string();
      return Response();
    }
    return std::move(static_cast<Response&>(**result));
  }
  void start(const std::string& id) {
    ws::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("order");
    request.mutable_task_queue()->set_name("q");
    call<ws::StartWorkflowExecutionResponse>(api::Method::kStartWorkflowExecution, request);
  }
  void terminate(const std::string& id) {
    ws::TerminateWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    call<ws::TerminateWorkflowExecutionResponse>(api::Method::kTerminateWorkflowExecution, request);
  }
  void lose_index() {
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(dir_ / ("visibility.db" + std::string(suffix)));
  }
  // The rows of the visibility feed in the store, of a closed engine too.
  std::map<std::string, std::string> feed() {
    const bool closed = store_ == nullptr;
    if (closed) open_store();
    std::map<std::string, std::string> rows;
    const Status status =
        store_->scan(store::keys::table_begin(store::keys::kStoreWide, store::keys::kFeedTable),
                     store::keys::table_end(store::keys::kStoreWide, store::keys::kFeedTable),
                     [&rows](std::string_view key, std::string_view value) {
                       rows.emplace(key, value);
                       return true;
                     });
    EXPECT_TRUE(status.ok()) << status.to_string();
    if (closed) store_.reset();
    return rows;
  }
  static ws::PollWorkflowTaskQueueRequest poll() {
    ws::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("q");
    return request;
  }
  std::int64_t listed(const std::string& query) {
    ws::ListWorkflowExecutionsRequest request;
    request.set_namespace_("default");
    request.set_query(query);
    return call<ws::ListWorkflowExecutionsResponse>(api::Method::kListWorkflowExecutions, request)
        .executions_size();
  }

  fixture::TemporaryDirectory dir_;
  EngineOptions options_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<visibility::Index> index_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace holdfast::engine
