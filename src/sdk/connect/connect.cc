#include "holdfast/connect.h"

#include <memory>

#include "api/connection.h"
#include "connect/grpc_connection.h"
#include "os/clock.h"
#include "os/thread_executor.h"

namespace holdfast {
namespace {

// Behind a connection that could not be made there is no server: every call is answered with the reason.
class RefusedConnection final : public api::Connection {
 public:
  explicit RefusedConnection(Status reason) : reason_(std::move(reason)) {}

  std::shared_ptr<api::CallHandle> start(api::Method, api::MessagePtr, api::CallOptions options,
                                         api::Completion done) override {
    if (options.executor == nullptr) {
      done(fail(reason_));
    } else {
      options.executor->post([done = std::move(done), reason = reason_]() mutable { done(fail(reason)); });
    }
    return nullptr;
  }

 private:
  const Status reason_;
};

// What the copies of one connection share.
struct Machine {
  os::SystemClock clock;
  os::SystemRandom random;
  std::unique_ptr<api::Connection> engine;
};

}  // namespace

HOLDFAST_PUBLIC Connection connect(std::string_view address, const ConnectOptions& options) {
  auto machine = std::make_shared<Machine>();
  Status status;
  if (auto remote = rpc::GrpcConnection::open(address, options)) {
    machine->engine = std::move(*remote);
  } else {
    status = remote.error();
    machine->engine = std::make_unique<RefusedConnection>(status);
  }
  Environment environment(machine->clock, machine->random,
                          [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); });
  std::shared_ptr<api::Connection> engine(machine, machine->engine.get());
  return Connection(std::move(engine), std::move(environment), options.namespace_name(), std::move(status));
}

}  // namespace holdfast
