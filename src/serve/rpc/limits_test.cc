// What the gRPC server bears: requests that are dear to hold, calls that never send theirs, replies nobody
// has room for, clients that open connections and calls only to leave them. Each is refused with a typed
// answer, holds nothing afterwards, and leaves others served.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "api/messages.h"
#include "base/memory_budget.h"
#include "connect/grpc_connection.h"
#include "rpc/server.h"

namespace holdfast::rpc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::size_t kMiB = 1 << 20;

// Starts are answered at once, histories with two megabytes, polls when they are cancelled.
class Engine final : public api::Connection {
 public:
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request, api::CallOptions,
                                         api::Completion done) override {
    {
      const std::lock_guard lock(mutex_);
      ++calls_;
    }
    if (method == api::Method::kGetWorkflowExecutionHistory) {
      auto response = std::make_unique<ws::GetWorkflowExecutionHistoryResponse>();
      response->mutable_history()
          ->add_events()
          ->mutable_workflow_execution_started_event_attributes()
          ->mutable_input()
          ->add_payloads()
          ->set_data(std::string(2 * kMiB, 'x'));
      done(std::move(response));
      return nullptr;
    }
    if (api::is_long_poll(method)) return std::make_shared<Poll>(std::move(done));
    done(api::new_response(method));
    return nullptr;
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  struct Poll final : api::CallHandle {
    explicit Poll(api::Completion completion) : done(std::move(completion)) {}
    void cancel() override {
      if (auto run = std::exchange(done, nullptr)) run(fail(Code::kCancelled, "cancelled"));
    }
    api::Completion done;
  };
  std::mutex mutex_;
  int calls_ = 0;
};

class LimitsTest : public ::testing::Test {
 protected:
  void serve(ServerOptions options) {
    options.address = options.address == ServerOptions().address ? "127.0.0.1:0" : options.address;
    options.memory = &memory_;
    server_ = Server::start(engine_, options).value();
    connection_ = GrpcConnection::open(server_->address()).value();
  }
  void TearDown() override {
    connection_.reset();
    server_.reset();
    EXPECT_EQ(memory_.used(), 0U);
  }

  using Answer = Result<api::MessagePtr>;
  struct Sent {
    std::shared_ptr<api::CallHandle> handle;
    std::future<Answer> answer;
  };
  Sent send(api::Method method, api::MessagePtr request) {
    auto promise = std::make_shared<std::promise<Answer>>();
    Sent sent{.handle = nullptr, .answer = promise->get_future()};
    sent.handle = connection_->start(method, std::move(request), {},
                                     [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return sent;
  }
  Status call(api::Method method, api::MessagePtr request) {
    auto answer = send(method, std::move(request)).answer.get();
    return answer ? Status() : answer.error();
  }
  Status start(std::size_t input_bytes) {
    auto request = std::make_unique<ws::StartWorkflowExecutionRequest>();
    request->mutable_input()->add_payloads()->set_data(std::string(input_bytes, 'x'));
    return call(api::Method::kStartWorkflowExecution, std::move(request));
  }
  Sent poll() {
    return send(api::Method::kPollWorkflowTaskQueue, std::make_unique<ws::PollWorkflowTaskQueueRequest>());
  }
  void wait_for_calls(int calls) {
    while (engine_.calls() < calls) std::this_thread::yield();
  }
  // An answer is there a moment before what it held is given back.
  void wait_until_nothing_is_held() {
    while (memory_.used() > kConnectionBytes) std::this_thread::yield();
  }

  // A start whose bytes are packed.
  grpc::Status packed(const std::string& bytes) {
    grpc::GenericStub stub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    grpc::Slice slice(bytes);
    auto reader = stub.PrepareUnaryCall(&context, kStart, grpc::ByteBuffer(&slice, 1), &queue);
    reader->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    reader->Finish(&response, &status, this);
    wait(queue);
    return status;
  }
  // A start that never sends its request.
  grpc::Status silent() {
    grpc::GenericStub stub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    auto stream = stub.PrepareCall(&context, kStart, &queue);
    stream->StartCall(this);
    wait(queue);
    grpc::Status status;
    stream->Finish(&status, this);
    wait(queue);
    return status;
  }
  static void wait(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
  }

  const std::string kStart = "/" + std::string(api::kServiceName) + "/StartWorkflowExecution";
  MemoryBudget memory_{"the test", 8 * kMiB};
  Engine engine_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<GrpcConnection> connection_;
};

void expect_exhausted(const Status& status, enums::ResourceExhaustedCause cause) {
  EXPECT_EQ(status.code(), Code::kResourceExhausted) << status.message();
  ASSERT_EQ(status.details().size(), 1U);
  pb::errordetails::v1::ResourceExhaustedFailure detail;
  ASSERT_TRUE(detail.ParseFromString(status.details()[0].value));
  EXPECT_EQ(detail.cause(), cause);
}

TEST_F(LimitsTest, AFieldThatIsTooLongIsRefusedBeforeTheEngineSeesIt) {
  serve({});
  auto request = std::make_unique<ws::PollWorkflowTaskQueueRequest>();
  request->set_identity(std::string(3 * kMiB, 'i'));
  const Status refused = call(api::Method::kPollWorkflowTaskQueue, std::move(request));
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_EQ(refused.message(), "Identity length exceeds limit.");
  EXPECT_EQ(engine_.calls(), 0);
}

TEST_F(LimitsTest, RequestsBeyondTheMemoryAreRefusedAndHoldNothing) {
  serve({});
  EXPECT_TRUE(start(1 * kMiB).ok());
  wait_until_nothing_is_held();
  ASSERT_TRUE(memory_.take(6 * kMiB).ok());
  expect_exhausted(start(2 * kMiB - 100), enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
  EXPECT_TRUE(start(1000).ok());
  memory_.give_back(6 * kMiB);
  EXPECT_TRUE(start(2 * kMiB - 100).ok());
}

// Two bytes on the wire, a hundred in memory.
TEST_F(LimitsTest, WhatARequestBecomesIsCountedBeforeItIsMade) {
  serve({});
  auto request = std::make_unique<ws::StartWorkflowExecutionRequest>();
  for (int i = 0; i < 150'000; ++i) request->mutable_input()->add_payloads();
  ASSERT_LT(request->ByteSizeLong(), 1 * kMiB);
  expect_exhausted(call(api::Method::kStartWorkflowExecution, std::move(request)),
                   enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
  EXPECT_EQ(engine_.calls(), 0);
}

// Of 256 of them one connection may have four times what is still free.
TEST_F(LimitsTest, CallsThatWaitHaveHalfOfItAndStarveNobody) {
  serve({});
  std::vector<Sent> polls;
  for (int i = 0; i < 205; ++i) polls.push_back(poll());
  wait_for_calls(205);
  const Status refused = poll().answer.get().error();
  expect_exhausted(refused, enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
  EXPECT_THAT(refused.message(), HasSubstr("calls over gRPC that wait"));
  EXPECT_TRUE(start(1 * kMiB).ok());

  const auto greedy = std::exchange(connection_, GrpcConnection::open(server_->address()).value());
  polls.push_back(poll());
  wait_for_calls(207);
  for (Sent& open : polls) open.handle->cancel();
  for (Sent& open : polls) open.answer.wait();
}

TEST_F(LimitsTest, AReplyBeyondTheMemoryIsRefused) {
  serve({});
  const auto history = [this] {
    return call(api::Method::kGetWorkflowExecutionHistory,
                std::make_unique<ws::GetWorkflowExecutionHistoryRequest>());
  };
  EXPECT_TRUE(history().ok());
  wait_until_nothing_is_held();
  ASSERT_TRUE(memory_.take(7 * kMiB).ok());
  expect_exhausted(history(), enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
  memory_.give_back(7 * kMiB);
}

TEST_F(LimitsTest, APackedRequestIsServedAndABombIsNot) {
  serve({.max_receive_bytes = 1 << 20});
  ws::StartWorkflowExecutionRequest request;
  request.mutable_input()->add_payloads()->set_data(std::string(500'000, 'x'));
  EXPECT_TRUE(packed(request.SerializeAsString()).ok());
  EXPECT_EQ(engine_.calls(), 1);
  const grpc::Status refused = packed(std::string(64 * kMiB, '\0'));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("when unpacked"));
  EXPECT_EQ(engine_.calls(), 1);
}

TEST_F(LimitsTest, ACallThatNeverSendsItsRequestEnds) {
  serve({.transfer_timeout = 1ms});
  const grpc::Status ended = silent();
  EXPECT_EQ(ended.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(ended.error_message(), HasSubstr("not through after 1 ms"));
}

// A poll of the same connection ends when the connection is shut.
class Resets : public LimitsTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void wait_for_calls_or(const std::future<Answer>& end, int calls) {
    while (engine_.calls() < calls && end.wait_for(0s) != std::future_status::ready)
      std::this_thread::yield();
  }
};

TEST_P(Resets, WhoResetsCallsAllTheTimeIsShutOut) {
  serve({.address = GetParam(), .connections = {.resets_at_once = 20, .resets_per_second = 0}});
  Sent open = poll();
  int calls = 1;
  while (calls < 1000 && open.answer.wait_for(0s) != std::future_status::ready) {
    Sent reset = poll();
    wait_for_calls_or(open.answer, ++calls);
    if (reset.handle) reset.handle->cancel();
    reset.answer.wait();
  }
  ASSERT_EQ(open.answer.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(open.answer.get().error().code(), Code::kUnavailable);
  EXPECT_GE(calls, 20);
  // And may come again.
  connection_ = GrpcConnection::open(server_->address()).value();
  EXPECT_TRUE(start(10).ok());
}
INSTANTIATE_TEST_SUITE_P(Addresses, Resets, ::testing::Values("127.0.0.1:0", "[::1]:0"));

TEST_F(LimitsTest, ConnectionsThatSayNothingMakeRoom) {
  serve({.connections = {.most = 3}});
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server_->port());
  ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  std::vector<int> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(silent.back(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_TRUE(start(10).ok());
  // The first of them was told to go.
  char byte = 0;
  while (::recv(silent.front(), &byte, 1, 0) > 0) {
  }
  for (const int fd : silent) ::close(fd);
}

}  // namespace
}  // namespace holdfast::rpc
