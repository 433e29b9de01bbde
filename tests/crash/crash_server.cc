// The engine alone, as a process to be killed: store, index, engine and gRPC, wired as app wires them. With
// --bug it has the planted bug that releases answers before their batch is durable, which the crash loop has
// to notice.

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "lossy_disk.h"
#include "os/clock.h"
#include "rpc/server.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace {

using namespace holdfast;

int refuse(const Status& status) {
  fmt::print(stderr, "crash_server: {}\n", status.message());
  return 1;
}

engine::PlantedBug bug_named(std::string_view name) {
  if (name == "early-answers") return engine::PlantedBug::kAckBeforeCommit;
  if (name == "lost-dedup") return engine::PlantedBug::kLostDedup;
  if (name == "dropped-timer") return engine::PlantedBug::kDroppedTimer;
  if (name == "stale-token") return engine::PlantedBug::kStaleTokenAccepted;
  if (name == "torn-batch") return engine::PlantedBug::kTornBatch;
  return engine::PlantedBug::kNone;
}

int serve(const std::string& dir, const std::string& address, engine::PlantedBug bug) {
  store::RocksOptions store_options{.dir = dir};
  visibility::Index::Options index_options{.path = dir + "/visibility.db"};
  if (std::getenv(crash::kLoseUnsynced) != nullptr) {
    crash::LossyDisk disk = crash::lossy_disk();
    store_options.file_system = std::move(disk.file_system);
    index_options.vfs = std::move(disk.sqlite_vfs);
  }
  auto store = store::RocksStore::open(store_options);
  if (!store) return refuse(store.error());
  auto index = visibility::Index::open(index_options);
  if (!index) return refuse(index.error());
  os::SystemClock clock;
  os::SystemRandom random;
  engine::EngineOptions options;
  options.core.bug = bug;
  auto engine = engine::Engine::open(std::move(options), **store, clock, random, index->get());
  if (!engine) return refuse(engine.error());
  auto server = rpc::Server::start(**engine, {.address = address});
  if (!server) return refuse(server.error());
  int signal = 0;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigwait(&set, &signal);
  (*server)->stop(std::chrono::milliseconds(100));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t set;  // before any thread exists, so that all inherit it
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const bool with_bug = argc == 5 && std::string_view(argv[3]) == "--bug";
  if (argc != 3 && !with_bug) {
    fmt::print(stderr, "crash_server DATA HOST:PORT [--bug NAME]\n");
    return 2;
  }
  const engine::PlantedBug bug = with_bug ? bug_named(argv[4]) : engine::PlantedBug::kNone;
  if (with_bug && bug == engine::PlantedBug::kNone) {
    fmt::print(stderr, "crash_server: there is no bug \"{}\"\n", argv[4]);
    return 2;
  }
  return serve(argv[1], argv[2], bug);
}
