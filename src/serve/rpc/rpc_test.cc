// Both halves of gRPC, back to back: a Connection written here, served by Server on a loopback port and
// called through GrpcConnection behaves as if it had been called directly; what is no WorkflowService call
// gets a typed answer.

#include <gmock/gmock.h>
#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <mutex>

#include "api/messages.h"
#include "api/operator_messages.h"
#include "connect/grpc_connection.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "rpc/server.h"

namespace holdfast::rpc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Long enough that only a hang reaches it.
constexpr auto kPatience = 20s;

// Answers by method: GetSystemInfo at once and inline, StartWorkflowExecution from another thread, a describe
// of anything with a typed NotFound, polls for activities that say who they are from another thread, other
// polls never (until cancelled).
class TestConnection final : public api::Connection {
 public:
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request,
                                         api::CallOptions options, api::Completion done) override {
    switch (method) {
      case api::Method::kGetSystemInfo: {
        auto response = std::make_unique<ws::GetSystemInfoResponse>();
        response->set_server_version(options.client_name + " " + options.client_version);
        done(std::move(response));
        return nullptr;
      }
      case api::Method::kStartWorkflowExecution: {
        auto* start = dynamic_cast<ws::StartWorkflowExecutionRequest*>(request.get());
        auto response = std::make_unique<ws::StartWorkflowExecutionResponse>();
        response->set_run_id("run of " + start->workflow_id());
        executor_.post([done = std::move(done), response = std::move(response)]() mutable {
          done(std::move(response));
        });
        return nullptr;
      }
      case api::Method::kPollActivityTaskQueue: {
        auto* poll = dynamic_cast<ws::PollActivityTaskQueueRequest*>(request.get());
        if (poll->identity().empty()) return hold(std::move(options), std::move(done));
        auto task = std::make_unique<ws::PollActivityTaskQueueResponse>();
        task->set_task_token("for " + poll->identity());
        executor_.post([done = std::move(done), task = std::move(task)]() mutable { done(std::move(task)); });
        return std::make_shared<NothingToCancel>();
      }
      case api::Method::kDescribeWorkflowExecution: {
        pb::errordetails::v1::NamespaceNotFoundFailure detail;
        detail.set_namespace_("nowhere");
        done(fail(
            Status(Code::kNotFound, "namespace \"nowhere\" does not exist")
                .with_detail("type.googleapis.com/" + detail.GetTypeName(), detail.SerializeAsString())));
        return nullptr;
      }
      case api::Method::kListSearchAttributes: {
        auto response = std::make_unique<ops::ListSearchAttributesResponse>();
        (*response->mutable_custom_attributes())["Customer"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
        done(std::move(response));
        return nullptr;
      }
      default: return hold(std::move(options), std::move(done));
    }
  }

  // Waits until a poll hangs here, then until it was cancelled.
  api::CallOptions wait_for_poll() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return polls_ > 0; }));
    return held_;
  }
  void wait_for_cancel() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return cancelled_ > 0; }));
  }
  // Polls get a task in the moment in which they are cancelled.
  void answer_too_late() { too_late_ = true; }
  std::string wait_for_undelivered_token() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return undelivered_ != nullptr; }));
    return undelivered_ == nullptr
               ? ""
               : static_cast<const ws::PollActivityTaskQueueResponse&>(*undelivered_).task_token();
  }

 private:
  struct NothingToCancel final : api::CallHandle {
    void cancel() override {}
  };
  struct Held final : api::CallHandle {
    Held(TestConnection& owner, api::Completion completion)
        : connection(owner), done(std::move(completion)) {}
    void cancel() override {
      api::Completion run;
      {
        const std::lock_guard lock(connection.mutex_);
        if (!done) return;
        run = std::move(done);
        done = nullptr;
        ++connection.cancelled_;
        connection.changed_.notify_all();
      }
      if (!connection.too_late_) return run(fail(Code::kCancelled, "cancelled"));
      auto task = std::make_unique<ws::PollActivityTaskQueueResponse>();
      task->set_task_token("token");
      run(std::move(task));
    }
    void undelivered(api::MessagePtr answer) override {
      const std::lock_guard lock(connection.mutex_);
      connection.undelivered_ = std::move(answer);
      connection.changed_.notify_all();
    }
    TestConnection& connection;
    api::Completion done;
  };

  std::shared_ptr<api::CallHandle> hold(api::CallOptions options, api::Completion done) {
    const std::lock_guard lock(mutex_);
    ++polls_;
    held_ = std::move(options);
    changed_.notify_all();
    return std::make_shared<Held>(*this, std::move(done));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int polls_ = 0;
  int cancelled_ = 0;
  std::atomic<bool> too_late_ = false;
  api::MessagePtr undelivered_;
  api::CallOptions held_;
  os::ThreadExecutor executor_{"answers"};
};

class RpcTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = Server::start(engine_, {.address = "127.0.0.1:0"}).value();
    connection_ = GrpcConnection::open(server_->address()).value();
  }

  using Answer = Result<api::MessagePtr>;
  std::future<Answer> send(api::Method method, api::MessagePtr request, api::CallOptions options = {},
                           std::shared_ptr<api::CallHandle>* handle = nullptr) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    auto call = connection_->start(method, std::move(request), std::move(options),
                                   [promise](Answer answer) { promise->set_value(std::move(answer)); });
    if (handle != nullptr) *handle = call;
    return future;
  }
  Answer call(api::Method method, api::MessagePtr request, api::CallOptions options = {}) {
    auto future = send(method, std::move(request), std::move(options));
    if (future.wait_for(kPatience) != std::future_status::ready) return fail(Code::kInternal, "no answer");
    return future.get();
  }

  static api::MessagePtr start_request(const std::string& id, std::size_t input_bytes = 0) {
    auto request = std::make_unique<ws::StartWorkflowExecutionRequest>();
    request->set_workflow_id(id);
    if (input_bytes > 0) request->mutable_input()->add_payloads()->set_data(std::string(input_bytes, 'x'));
    return request;
  }

  // A unary call with bytes of any kind to a method of any name.
  grpc::Status raw(const std::string& method, const std::string& bytes, std::string* response = nullptr) {
    grpc::GenericStub stub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    grpc::Slice slice(bytes);
    grpc::ByteBuffer buffer;
    auto reader = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    reader->StartCall();
    grpc::Status status;
    reader->Finish(&buffer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    if (response != nullptr && status.ok()) *response = text(buffer);
    queue.Shutdown();
    return status;
  }
  static std::string text(grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    std::string all;
    (void)buffer.Dump(&slices);
    for (const auto& slice : slices) all.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return all;
  }
  static std::string path(const std::string& name) {
    return "/" + std::string(api::kServiceName) + "/" + name;
  }

  TestConnection engine_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<GrpcConnection> connection_;
};

TEST_F(RpcTest, CarriesRequestsResponsesAndTheClientsName) {
  auto info = call(api::Method::kGetSystemInfo, std::make_unique<ws::GetSystemInfoRequest>(),
                   {.client_name = "temporal-cpp-holdfast", .client_version = "9.9"});
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(dynamic_cast<ws::GetSystemInfoResponse&>(**info).server_version(), "temporal-cpp-holdfast 9.9");
  auto started = call(api::Method::kStartWorkflowExecution, start_request("w", (2 << 20) - 100));
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(dynamic_cast<ws::StartWorkflowExecutionResponse&>(**started).run_id(), "run of w");
}

TEST_F(RpcTest, IsTheSameOverAUnixSocket) {
  const fixture::TemporaryDirectory directory;
  const std::filesystem::path socket = directory.path() / "engine";
  const std::string address = "unix:" + socket.string();
  auto local = Server::start(engine_, {.address = address}).value();
  EXPECT_EQ(local->address(), address);
  EXPECT_EQ(local->port(), 0);
  EXPECT_EQ(Server::start(engine_, {.address = address}).error().code(), Code::kUnavailable);
  connection_ = GrpcConnection::open(address, ConnectOptions().api_key("in the clear")).value();
  auto started = call(api::Method::kStartWorkflowExecution, start_request("w", (2 << 20) - 100));
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(dynamic_cast<ws::StartWorkflowExecutionResponse&>(**started).run_id(), "run of w");
  local.reset();
  EXPECT_FALSE(std::filesystem::exists(socket));
  EXPECT_EQ(GrpcConnection::open(address, ConnectOptions().server_ca("x")).error().code(),
            Code::kInvalidArgument);
}

TEST_F(RpcTest, CompletionsRunOnTheNamedExecutor) {
  os::ThreadExecutor executor("mine");
  std::promise<std::thread::id> executors;
  executor.post([&] { executors.set_value(std::this_thread::get_id()); });
  std::promise<std::thread::id> mine;
  connection_->start(api::Method::kGetSystemInfo, std::make_unique<ws::GetSystemInfoRequest>(),
                     {.executor = &executor}, [&](Answer) { mine.set_value(std::this_thread::get_id()); });
  EXPECT_EQ(mine.get_future().get(), executors.get_future().get());
}

TEST_F(RpcTest, ErrorsKeepTheirTypedDetails) {
  auto answer =
      call(api::Method::kDescribeWorkflowExecution, std::make_unique<ws::DescribeWorkflowExecutionRequest>());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::kNotFound);
  EXPECT_EQ(answer.error().message(), "namespace \"nowhere\" does not exist");
  ASSERT_EQ(answer.error().details().size(), 1u);
  EXPECT_EQ(answer.error().details()[0].type_url,
            "type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure");
  pb::errordetails::v1::NamespaceNotFoundFailure detail;
  ASSERT_TRUE(detail.ParseFromString(answer.error().details()[0].value));
  EXPECT_EQ(detail.namespace_(), "nowhere");
}

TEST_F(RpcTest, ACancelledCallIsCancelledBehindTheServer) {
  std::shared_ptr<api::CallHandle> handle;
  auto future = send(api::Method::kPollWorkflowTaskQueue,
                     std::make_unique<ws::PollWorkflowTaskQueueRequest>(), {}, &handle);
  const api::CallOptions seen = engine_.wait_for_poll();
  ASSERT_TRUE(seen.deadline.has_value());
  const auto left = *seen.deadline - std::chrono::steady_clock::now();
  EXPECT_GT(left, GrpcConnection::kLongPollDeadline - 10s);
  EXPECT_LE(left, GrpcConnection::kLongPollDeadline + 1s);  // the wire rounds up
  handle->cancel();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(future.get().error().code(), Code::kCancelled);
  engine_.wait_for_cancel();
}

TEST_F(RpcTest, ATaskForWhoIsGoneIsGivenBack) {
  engine_.answer_too_late();
  std::shared_ptr<api::CallHandle> handle;
  auto future = send(api::Method::kPollActivityTaskQueue,
                     std::make_unique<ws::PollActivityTaskQueueRequest>(), {}, &handle);
  engine_.wait_for_poll();
  handle->cancel();
  EXPECT_EQ(engine_.wait_for_undelivered_token(), "token");
  EXPECT_EQ(future.get().error().code(), Code::kCancelled);
}

TEST_F(RpcTest, ADeadlineEndsTheCallOnBothSides) {
  auto answer =
      call(api::Method::kPollActivityTaskQueue, std::make_unique<ws::PollActivityTaskQueueRequest>(),
           {.deadline = std::chrono::steady_clock::now() + 100ms});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::kDeadlineExceeded);
  engine_.wait_for_cancel();
}

TEST_F(RpcTest, OversizedMalformedAndUnknownCallsAreTypedAndTheServerGoesOn) {
  EXPECT_EQ(call(api::Method::kStartWorkflowExecution, start_request("big", 17 << 20)).error().code(),
            Code::kResourceExhausted);
  const grpc::Status malformed = raw(path("StartWorkflowExecution"), "\xff\xff\xff not a message");
  EXPECT_EQ(malformed.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(malformed.error_message(), HasSubstr("StartWorkflowExecutionRequest"));
  const grpc::Status unknown = raw(path("CreateSchedule"), "");
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(unknown.error_message(), HasSubstr("CreateSchedule"));
  EXPECT_EQ(raw("/no.such.Service/Method", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(call(api::Method::kStartWorkflowExecution, start_request("after")));
}

TEST_F(RpcTest, NestedMessagesBeyondTheParsersDepthAreRefused) {
  std::string
      nested;  // a Failure within a Failure within...: field 4 (cause) of temporal.api.failure.v1.Failure
  for (int i = 0; i < 10'000; ++i) {
    std::string length;
    for (std::size_t n = nested.size();; n >>= 7) {
      length.push_back(static_cast<char>((n & 0x7F) | (n > 0x7F ? 0x80 : 0)));
      if (n <= 0x7F) break;
    }
    nested = "\x22" + length + nested;
  }
  std::string request = "\x12";  // RespondActivityTaskFailedRequest.failure
  for (std::size_t n = nested.size();; n >>= 7) {
    request.push_back(static_cast<char>((n & 0x7F) | (n > 0x7F ? 0x80 : 0)));
    if (n <= 0x7F) break;
  }
  EXPECT_EQ(raw(path("RespondActivityTaskFailed"), request + nested).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(RpcTest, SixtyFourCallsAtOnce) {
  std::vector<std::future<Answer>> answers;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 64; ++i) {
      answers.push_back(send(api::Method::kStartWorkflowExecution, start_request(std::to_string(i))));
    }
    for (int i = 0; i < 64; ++i) {
      auto answer = answers[static_cast<std::size_t>(i)].get();
      ASSERT_TRUE(answer) << answer.error().to_string();
      EXPECT_EQ(dynamic_cast<ws::StartWorkflowExecutionResponse&>(**answer).run_id(),
                "run of " + std::to_string(i));
    }
    answers.clear();
  }
}

// While one task is sent, the next requests arrive: what the socket has is heard in the order in which it
// came.
TEST_F(RpcTest, ThousandsOfTasksReachTheirPolls) {
  constexpr int kAtOnce = 100;
  constexpr int kAll = 20'000;
  std::deque<std::future<Answer>> answers;
  const auto poll = [&](int number) {
    auto request = std::make_unique<ws::PollActivityTaskQueueRequest>();
    request->set_identity(std::to_string(number));
    answers.push_back(send(api::Method::kPollActivityTaskQueue, std::move(request)));
  };
  for (int i = 0; i < kAtOnce; ++i) poll(i);
  for (int i = 0; i < kAll; ++i) {
    if (i + kAtOnce < kAll) poll(i + kAtOnce);
    ASSERT_EQ(answers.front().wait_for(kPatience), std::future_status::ready) << i;
    auto answer = answers.front().get();
    answers.pop_front();
    ASSERT_TRUE(answer) << answer.error().to_string();
    ASSERT_EQ(dynamic_cast<ws::PollActivityTaskQueueResponse&>(**answer).task_token(),
              "for " + std::to_string(i));
  }
}

TEST_F(RpcTest, OneCallMoreThanTheLimitIsRefused) {
  auto small = Server::start(engine_, {.address = "127.0.0.1:0", .max_open_calls = 1}).value();
  connection_ = GrpcConnection::open(small->address()).value();
  std::shared_ptr<api::CallHandle> handle;
  auto held = send(api::Method::kPollWorkflowTaskQueue, std::make_unique<ws::PollWorkflowTaskQueueRequest>(),
                   {}, &handle);
  engine_.wait_for_poll();
  EXPECT_EQ(call(api::Method::kGetSystemInfo, std::make_unique<ws::GetSystemInfoRequest>()).error().code(),
            Code::kResourceExhausted);
  handle->cancel();
  held.wait();
  connection_.reset();
}

TEST_F(RpcTest, StoppingEndsOpenCallsAndLaterOnesFindNobody) {
  auto held = send(api::Method::kPollWorkflowTaskQueue, std::make_unique<ws::PollWorkflowTaskQueueRequest>());
  engine_.wait_for_poll();
  server_->stop(10ms);
  ASSERT_EQ(held.wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(held.get());
  EXPECT_EQ(call(api::Method::kGetSystemInfo, std::make_unique<ws::GetSystemInfoRequest>()).error().code(),
            Code::kUnavailable);
}

TEST_F(RpcTest, AConnectionMayGoWithCallsOpen) {
  auto held = send(api::Method::kPollWorkflowTaskQueue, std::make_unique<ws::PollWorkflowTaskQueueRequest>());
  engine_.wait_for_poll();
  connection_.reset();
  ASSERT_EQ(held.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(held.get().error().code(), Code::kCancelled);
}

TEST_F(RpcTest, AMethodBelongsToItsService) {
  const std::string operators = "/" + std::string(api::kOperatorServiceName) + "/";
  const auto refused = raw(operators + "DeleteNamespace", "");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("DeleteNamespace"));
  EXPECT_EQ(raw(operators + "StartWorkflowExecution", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(raw(path("AddSearchAttributes"), "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  auto listed =
      call(api::Method::kListSearchAttributes, std::make_unique<ops::ListSearchAttributesRequest>());
  ASSERT_TRUE(listed) << listed.error().to_string();
  EXPECT_EQ(dynamic_cast<ops::ListSearchAttributesResponse&>(**listed).custom_attributes().size(), 1u);
}

TEST_F(RpcTest, AnswersHealthChecks) {
  std::string response;
  EXPECT_TRUE(raw("/grpc.health.v1.Health/Check", "", &response).ok());
  EXPECT_EQ(response, "\x08\x01");
  for (const std::string& service :
       {std::string(api::kServiceName), std::string(api::kOperatorServiceName)}) {
    EXPECT_TRUE(raw("/grpc.health.v1.Health/Check",
                    "\x0A" + std::string(1, static_cast<char>(service.size())) + service, &response)
                    .ok());
    EXPECT_EQ(response, "\x08\x01");
  }
  EXPECT_EQ(raw("/grpc.health.v1.Health/Check", "\x0A\x01x").error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(RpcTest, ReflectionListsAndDescribesTheService) {
  const std::string service(api::kServiceName);
  const auto ask = [&](const std::string& request) {
    grpc::GenericStub stub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    auto stream =
        stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
    const auto step = [&] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    stream->StartCall(this);
    EXPECT_TRUE(step());
    grpc::Slice slice(request);
    stream->Write(grpc::ByteBuffer(&slice, 1), this);
    EXPECT_TRUE(step());
    grpc::ByteBuffer answer;
    stream->Read(&answer, this);
    EXPECT_TRUE(step());
    stream->WritesDone(this);
    step();
    grpc::Status status;
    stream->Finish(&status, this);
    step();
    queue.Shutdown();
    return text(answer);
  };
  const std::string listed = ask(std::string("\x3A\x00", 2));  // list_services
  EXPECT_THAT(listed, HasSubstr(service));
  EXPECT_THAT(listed, HasSubstr(std::string(api::kOperatorServiceName)));
  EXPECT_THAT(
      ask("\x22" + std::string(1, static_cast<char>(service.size())) + service),  // file_containing_symbol
      HasSubstr("temporal/api/workflowservice/v1/service.proto"));
}

TEST(RpcAddress, ServersBindLoopbackOnly) {
  TestConnection engine;
  for (const char* address : {"0.0.0.0:7233", "[::]:7233", "10.1.2.3:7233", "example.org:7233"}) {
    const auto server = Server::start(engine, {.address = address});
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().code(), Code::kPermissionDenied) << address;
    EXPECT_THAT(server.error().message(), HasSubstr("127.0.0.1"));
  }
  EXPECT_EQ(Server::start(engine, {.address = "127.0.0.1:port"}).error().code(), Code::kInvalidArgument);
  auto first = Server::start(engine, {.address = "localhost:0"}).value();
  EXPECT_NE(first->port(), 0);
  const auto second = Server::start(engine, {.address = first->address()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr("in use"));
}

}  // namespace
}  // namespace holdfast::rpc
