// The front door: an address becomes a server that clients and workers talk to, against rpc::Server on a
// loopback port with an engine behind it that is written here; what cannot be a server says so, typed, in
// every call.

#include "holdfast/connect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <optional>
#include <string>

#include "api/messages.h"
#include "connect/grpc_connection.h"
#include "holdfast/client.h"
#include "holdfast/worker.h"
#include "rpc/server.h"

namespace holdfast {
namespace {

using testing::HasSubstr;

// Knows its version, finds no workflow, and leaves polls open until they are cancelled.
class SmallEngine final : public api::Connection {
 public:
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request, api::CallOptions,
                                         api::Completion done) override {
    switch (method) {
      case api::Method::kGetSystemInfo: {
        auto response = std::make_unique<ws::GetSystemInfoResponse>();
        response->set_server_version("small");
        done(std::move(response));
        return nullptr;
      }
      case api::Method::kDescribeWorkflowExecution:
        done(fail(
            Code::kNotFound,
            "nothing in " + static_cast<const ws::DescribeWorkflowExecutionRequest&>(*request).namespace_()));
        return nullptr;
      case api::Method::kPollActivityTaskQueue: {
        const std::lock_guard lock(mutex_);
        if (!polled_once_) {
          polled_once_ = true;
          polled_.set_value(static_cast<const ws::PollActivityTaskQueueRequest&>(*request).namespace_());
        }
        return std::make_shared<Held>(std::move(done));
      }
      default: done(fail(Code::kUnimplemented, "not here")); return nullptr;
    }
  }
  std::future<std::string> polled_namespace() { return polled_.get_future(); }

 private:
  struct Held final : api::CallHandle {
    explicit Held(api::Completion completion) : done(std::move(completion)) {}
    void cancel() override {
      const std::lock_guard lock(mutex);
      if (auto run = std::exchange(done, nullptr)) run(fail(Code::kCancelled, "cancelled"));
    }
    std::mutex mutex;
    api::Completion done;
  };

  std::mutex mutex_;
  std::promise<std::string> polled_;
  bool polled_once_ = false;
};

class ConnectTest : public ::testing::Test {
 protected:
  SmallEngine engine_;
  std::unique_ptr<rpc::Server> server_ = rpc::Server::start(engine_, {.address = "127.0.0.1:0"}).value();
};

TEST_F(ConnectTest, AnAddressIsAllThatAClientNeeds) {
  const Client client(connect(server_->address()));
  EXPECT_EQ(client.server_version().value(), "small");
  EXPECT_EQ(Client(connect("temporal://" + server_->address())).server_version().value(), "small");
}

TEST_F(ConnectTest, ClientsAndWorkersTakeTheNamespaceOfTheConnection) {
  const auto server = connect(server_->address(), ConnectOptions().namespace_name("orders"));
  EXPECT_EQ(Client(server).workflow("w").describe().error().message(), "nothing in orders");
  EXPECT_EQ(Client(server, ClientOptions().namespace_name("mine")).workflow("w").describe().error().message(),
            "nothing in mine");
  EXPECT_EQ(Client(connect(server_->address())).workflow("w").describe().error().message(),
            "nothing in default");
  Worker worker(server, WorkerOptions("q"));
  EXPECT_EQ(worker.options().namespace_name(), "orders");
  worker.register_activity("a", [](activity::Context&) {});
  ASSERT_TRUE(worker.start().ok());
  EXPECT_EQ(engine_.polled_namespace().get(), "orders");
}

TEST_F(ConnectTest, TheConnectionMayEndBeforeWhatWasMadeOfIt) {
  std::optional<Connection> server = connect(server_->address());
  const Client client(*server);
  Worker worker(*server, WorkerOptions("q"));
  worker.register_activity("a", [](activity::Context&) {});
  server.reset();
  ASSERT_TRUE(worker.start().ok());
  EXPECT_EQ(client.server_version().value(), "small");
}

TEST_F(ConnectTest, AServerThatDoesNotAnswerIsUnavailable) {
  server_->stop({});
  const auto server = connect(server_->address());
  EXPECT_TRUE(server.status().ok());
  EXPECT_EQ(Client(server, ClientOptions().fail_fast(true)).server_version().error().code(),
            Code::kUnavailable);
}

TEST(Connect, WhatCannotBeAServerSaysSoInEveryCall) {
  const auto server = connect("http://127.0.0.1:7233");
  EXPECT_EQ(server.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(server.status().message(), HasSubstr("expected temporal://HOST:PORT"));

  Worker worker(server, WorkerOptions("q"));
  worker.register_activity("a", [](activity::Context&) {});
  EXPECT_EQ(worker.start().to_string(), server.status().to_string());

  const Client client(server);
  EXPECT_EQ(client.server_version().error().to_string(), server.status().to_string());
  std::promise<Status> watched;
  client.workflow("w").watch_close(std::chrono::seconds(1), [&](Result<std::optional<WorkflowClose>> closed) {
    watched.set_value(closed.error());
  });
  EXPECT_EQ(watched.get_future().get().to_string(), server.status().to_string());
}

TEST(Connect, OptionsThatMakeNoSenseAreRefused) {
  const auto code = [](const ConnectOptions& options) { return connect("h:1", options).status().code(); };
  EXPECT_EQ(code(ConnectOptions()), Code::kOk);
  EXPECT_EQ(code(ConnectOptions().api_key("k")), Code::kOk);
  EXPECT_EQ(code(ConnectOptions().api_key("k").tls(false)), Code::kInvalidArgument);
  EXPECT_EQ(code(ConnectOptions().client_certificate("a certificate", "")), Code::kInvalidArgument);
  EXPECT_EQ(code(ConnectOptions().client_certificate("", "a key")), Code::kInvalidArgument);
}

TEST(Connect, AddressesAreRead) {
  using rpc::GrpcAddress;
  EXPECT_EQ(GrpcAddress::parse("temporal://127.0.0.1:7233").value().host_port, "127.0.0.1:7233");
  EXPECT_EQ(GrpcAddress::parse("temporal://cluster.example").value().host_port, "cluster.example:7233");
  EXPECT_EQ(GrpcAddress::parse("[::1]:80").value().host_port, "[::1]:80");
  EXPECT_FALSE(GrpcAddress::parse("temporal://h:1").value().tls);
  EXPECT_TRUE(GrpcAddress::parse("temporals://h:1").value().tls);
  EXPECT_EQ(GrpcAddress::parse("unix:/run/engine").value().host_port, "unix:/run/engine");
  EXPECT_TRUE(ConnectOptions().api_key("k").uses_tls());
  for (const char* bad :
       {"", "unix:", "temporal://unix:/run/engine", "temporal://", "http://h:1", "h:", "h:0", "h:65536",
        "::1", "[::1", "a b:1", "temporal://h:1/path", "temporal://h:1?tls=1", "temporal://me@h:1"}) {
    const auto address = GrpcAddress::parse(bad);
    ASSERT_FALSE(address) << bad;
    EXPECT_EQ(address.error().code(), Code::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace holdfast
