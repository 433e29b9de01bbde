#include "backend.h"

#include <cstdlib>
#include <stdexcept>

#include "connect/grpc_connection.h"
#include "os/thread_executor.h"
#ifdef HOLDFAST_E2E_ENGINE
#include "engine/engine.h"
#include "fixture/temporary_directory.h"
#include "rpc/server.h"
#include "store/rocks_store.h"
#endif

namespace holdfast::e2e {
namespace {

const char* target() {
  return std::getenv("HOLDFAST_E2E_TARGET");
}

template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().to_string());
  return std::move(*result);
}

class External : public Backend {
 public:
  External() : connection_(must(rpc::GrpcConnection::open(target()), "connecting")) {}
  api::Connection& connection() override { return *connection_; }

 private:
  std::unique_ptr<rpc::GrpcConnection> connection_;
};

#ifdef HOLDFAST_E2E_ENGINE
class InProcess : public Backend {
 public:
  InProcess() {
    store_ =
        must(store::RocksStore::open(store::RocksOptions{.dir = directory_.path()}), "opening the store");
    engine_ = must(engine::Engine::open(engine::EngineOptions{}, *store_, clock_, random_, nullptr),
                   "opening the engine");
  }
  api::Connection& connection() override { return *engine_; }
  bool in_process() const override { return true; }

 private:
  fixture::TemporaryDirectory directory_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<engine::Engine> engine_;
};

class OverRpc : public Backend {
 public:
  OverRpc() {
    rpc::ServerOptions options;
    options.address = "127.0.0.1:0";
    server_ = must(rpc::Server::start(engine_.connection(), options), "starting the server");
    connection_ = must(rpc::GrpcConnection::open(server_->address()), "connecting");
  }
  ~OverRpc() override {
    connection_.reset();
    server_.reset();
  }
  api::Connection& connection() override { return *connection_; }

 private:
  InProcess engine_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<rpc::GrpcConnection> connection_;
};
#endif

}  // namespace

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
#ifdef HOLDFAST_E2E_ENGINE
  names = {"in_process", "rpc"};
#endif
  if (target() != nullptr) names.emplace_back("external");
  return names;
}

std::unique_ptr<Backend> make_backend(const std::string& name) {
#ifdef HOLDFAST_E2E_ENGINE
  if (name == "in_process") return std::make_unique<InProcess>();
  if (name == "rpc") return std::make_unique<OverRpc>();
#endif
  return std::make_unique<External>();
}

const Environment& environment() {
  static os::SystemClock clock;
  static os::SystemRandom random;
  static const Environment environment(
      clock, random, [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); });
  return environment;
}

}  // namespace holdfast::e2e
