#include "app/engine_role.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <vector>

#include "app/node_metrics.h"
#include "app/output.h"
#include "connect/grpc_connection.h"
#include "engine/engine.h"
#include "history/cron.h"
#include "os/time_zone.h"
#include "protocol/flow_run.h"
#include "protocol/pure_tool.h"
#include "rpc/server.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace holdfast::app {

namespace {

constexpr std::chrono::milliseconds kConnectWithin{5000};
constexpr std::chrono::milliseconds kLookEvery{50};  // for somebody who does not want to wait so long
constexpr std::chrono::milliseconds kGrpcGrace{2000};

}  // namespace

// Declared bottom-up, so that each part is destroyed before what it uses.
struct EngineRole::Impl {
  std::mutex deleted_mutex;
  Deleted deleted;  // guarded by deleted_mutex
  std::unique_ptr<store::RocksStore> store;
  std::unique_ptr<visibility::Index> index;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<rpc::GrpcConnection> remote;
  std::vector<std::unique_ptr<rpc::Server>> grpc;
  std::shared_ptr<void> reading;
};

EngineRole::EngineRole(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EngineRole::~EngineRole() {
  stop_grpc();
}

Result<std::unique_ptr<EngineRole>> EngineRole::open_embedded(const Embedded& options, const Clock& clock,
                                                              Random& random) {
  auto impl = std::make_unique<Impl>();
  store::RocksOptions store_options;
  store_options.dir = options.store_path;
  store_options.file_system = options.storage.file_system;
  store_options.block_cache_bytes = options.memory.block_cache;
  store_options.write_buffer_bytes = options.memory.write_buffer;
  store_options.complain = [](const std::string& message) { complain(message); };
  auto store = store::RocksStore::open(store_options);
  if (!store) return std::unexpected(store.error());
  impl->store = *std::move(store);

  visibility::Index::Options index_options;
  index_options.path = options.visibility_path;
  index_options.vfs = options.storage.sqlite_vfs;
  auto index = visibility::Index::open(index_options);
  if (!index) return std::unexpected(index.error());
  impl->index = *std::move(index);

  engine::EngineOptions engine_options;
  engine_options.core.limits.cached_bytes = options.memory.executions;
  engine_options.core.limits.waiting_bytes = options.memory.waiting;
  engine_options.core.limits.inbox_bytes = options.memory.inbox;
  engine_options.memory = options.budget;
  static const os::SystemZoneRules kZones;
  history::cron::set_zones(&kZones);
  engine_options.core.limits.pure_activities = {protocol::kPureToolActivity, protocol::kFlowPureActivity};
  engine_options.core.limits.min_retention_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(options.shortest_retention).count();
  engine_options.on_deleted = [impl = impl.get()](const std::string& ns, const std::string& workflow_id) {
    const std::lock_guard lock(impl->deleted_mutex);
    if (impl->deleted) impl->deleted(ns, workflow_id);
  };
  engine_options.on_fatal = [](const std::string& message) { complain("fatal: " + message); };
  if (options.metrics != nullptr) {
    metrics::Family& commits = options.metrics->histogram(
        {"holdfast_engine_commit_duration_seconds", "Synced writes of the engine's store.", "seconds"});
    metrics::Family& answers = options.metrics->counter(
        {"holdfast_engine_answers", "Answers that a synced write let go, which shared it."});
    engine_options.on_commit = [&commits, &answers](std::chrono::nanoseconds took, std::size_t count) {
      commits.observe({}, std::chrono::duration<double>(took).count());
      answers.add({}, static_cast<double>(count));
    };
  }
  auto engine =
      engine::Engine::open(std::move(engine_options), *impl->store, clock, random, impl->index.get());
  if (!engine) return std::unexpected(engine.error());
  impl->engine = *std::move(engine);
  if (options.metrics != nullptr) {
    impl->reading = options.metrics->on_read(
        [engine = impl->engine.get()](metrics::Reading& out) { read_engine(out, engine->load()); });
  }
  return std::unique_ptr<EngineRole>(new EngineRole(std::move(impl)));
}

Status EngineRole::check_target(const std::string& target) {
  // A bare name could be meant as anything: a file, a kind of engine.
  if (!target.starts_with("temporal://") && !target.starts_with("temporals://"))
    return {Code::kInvalidArgument, fmt::format("'{}' is not temporal://HOST:PORT", target)};
  auto parsed = rpc::GrpcAddress::parse(target);
  return parsed ? Status() : parsed.error();
}

Result<std::unique_ptr<EngineRole>> EngineRole::connect(const std::string& target,
                                                        const std::function<bool()>& give_up) {
  if (Status bad = check_target(target); !bad.ok()) return fail(std::move(bad));
  auto parsed = rpc::GrpcAddress::parse(target);
  if (!parsed) return std::unexpected(parsed.error());
  auto remote = rpc::GrpcConnection::open(target);
  if (!remote) return std::unexpected(remote.error());
  auto end = std::chrono::steady_clock::now() + kConnectWithin;
  bool connected = false;
  while (!(connected = (*remote)->wait_until_connected(kLookEvery)) &&
         std::chrono::steady_clock::now() < end) {
    if (give_up()) return fail(Code::kCancelled, "interrupted while connecting to " + parsed->host_port);
  }
  if (!connected) {
    return fail(
        Code::kUnavailable,
        fmt::format("no Temporal server answers at {}; start one there, or leave --engine out to use the "
                    "embedded engine",
                    parsed->host_port));
  }
  auto impl = std::make_unique<Impl>();
  impl->remote = *std::move(remote);
  return std::unique_ptr<EngineRole>(new EngineRole(std::move(impl)));
}

void EngineRole::on_deleted(Deleted tell) {
  const std::lock_guard lock(impl_->deleted_mutex);
  impl_->deleted = std::move(tell);
}

api::Connection& EngineRole::connection() {
  if (impl_->engine) return *impl_->engine;
  return *impl_->remote;
}

bool EngineRole::embedded() const {
  return impl_->engine != nullptr;
}

store::RocksStore* EngineRole::store() const {
  return impl_->store.get();
}

Result<std::string> EngineRole::serve_grpc(const GrpcPlace& place, MemoryBudget& memory,
                                           const MemoryPlan& plan, const identity::Gate& gate) {
  rpc::ServerOptions options;
  options.address = place.address;
  options.socket_for_every_user = place.socket_for_every_user;
  options.memory = &memory;
  options.heap_bytes = plan.heap;
  options.gate = &gate;
  options.tls = place.tls;
  auto server = rpc::Server::start(connection(), options);
  if (!server) return std::unexpected(server.error());
  impl_->grpc.push_back(*std::move(server));
  return impl_->grpc.back()->address();
}

void EngineRole::stop_grpc() {
  for (const auto& server : impl_->grpc) server->stop(kGrpcGrace);
  impl_->grpc.clear();
}

}  // namespace holdfast::app
