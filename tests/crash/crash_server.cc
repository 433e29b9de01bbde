// The engine alone, as a process to be killed: store, index, engine and gRPC, wired as app wires them. With
// `--bug early-answers` there is a store in between that says "durable" too early, which the crash loop has
// to notice.

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "early_answers.h"
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

int serve(const std::string& dir, const std::string& address, bool early_answers) {
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
  crash::EarlyAnswers too_early(**store);
  store::KvStore& under_engine = early_answers ? static_cast<store::KvStore&>(too_early) : **store;
  auto engine = engine::Engine::open({}, under_engine, clock, random, index->get());
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
  const bool early_answers =
      argc == 5 && std::string_view(argv[3]) == "--bug" && std::string_view(argv[4]) == "early-answers";
  if (argc != 3 && !early_answers) {
    fmt::print(stderr, "crash_server DATA HOST:PORT [--bug early-answers]\n");
    return 2;
  }
  return serve(argv[1], argv[2], early_answers);
}
