// Our engine, alone, and its activities cost more: the completion of each is held for as long as it is told.
// What a fused plan saves where an activity is dear is then measured with the real program as its worker,
// which has no switch for that.
//
//   holdfast_slow_engine --data DIR --ms N [--type PREFIX]    prints its address, serves until SIGTERM

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include "api/messages.h"
#include "engine/engine.h"
#include "os/clock.h"
#include "rpc/server.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace holdfast::bench {

namespace {

// Runs jobs at their time, on a thread of its own; those that are left when it ends are dropped.
class Later {
 public:
  using Job = std::move_only_function<void()>;

  Later() : thread_([this] { run(); }) {}
  ~Later() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;

  void post(std::chrono::steady_clock::time_point at, Job job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.emplace(at, std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!ends_) {
      if (jobs_.empty()) {
        wake_.wait(lock);
        continue;
      }
      if (const auto next = jobs_.begin()->first; next > std::chrono::steady_clock::now()) {
        wake_.wait_until(lock, next);
        continue;
      }
      Job job = std::move(jobs_.begin()->second);
      jobs_.erase(jobs_.begin());
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<std::chrono::steady_clock::time_point, Job> jobs_;  // guarded by mutex_
  bool ends_ = false;                                               // guarded by mutex_
  std::thread thread_;
};

class SlowActivities final : public api::Connection {
 public:
  SlowActivities(api::Connection& engine, std::chrono::milliseconds more, std::string type)
      : engine_(engine), more_(more), type_(std::move(type)) {}

  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request,
                                         api::CallOptions options, api::Completion done) override {
    if (method == api::Method::kPollActivityTaskQueue) {
      auto seen = [this, done = std::move(done)](Result<api::MessagePtr> answer) mutable {
        if (answer) remember(static_cast<const ws::PollActivityTaskQueueResponse&>(**answer));
        done(std::move(answer));
      };
      return engine_.start(method, std::move(request), options, std::move(seen));
    }
    const bool is_held =
        method == api::Method::kRespondActivityTaskCompleted &&
        forget(static_cast<const ws::RespondActivityTaskCompletedRequest&>(*request).task_token());
    if (!is_held) return engine_.start(method, std::move(request), options, std::move(done));
    const auto now = std::chrono::steady_clock::now();
    if (options.deadline) *options.deadline += more_;
    later_.post(now + more_,
                [this, method, options, request = std::move(request), done = std::move(done)]() mutable {
                  (void)engine_.start(method, std::move(request), options, std::move(done));
                });
    return nullptr;
  }

 private:
  void remember(const ws::PollActivityTaskQueueResponse& task) {
    if (task.task_token().empty() || !task.activity_type().name().starts_with(type_)) return;
    const std::lock_guard lock(mutex_);
    tokens_.insert(task.task_token());
  }
  bool forget(const std::string& token) {
    const std::lock_guard lock(mutex_);
    return tokens_.erase(token) > 0;
  }

  api::Connection& engine_;
  const std::chrono::milliseconds more_;
  const std::string type_;  // how the activities that cost more are called; empty: all of them
  std::mutex mutex_;
  std::unordered_set<std::string> tokens_;  // of tasks that are under way; guarded by mutex_
  Later later_;
};

int refuse(std::string_view why) {
  fmt::print(stderr, "holdfast_slow_engine: {}\n", why);
  return 2;
}

int serve(const std::string& dir, std::chrono::milliseconds more, const std::string& type) {
  auto store = store::RocksStore::open({.dir = dir});
  if (!store) return refuse(store.error().message());
  auto index = visibility::Index::open({.path = dir + "/visibility.db"});
  if (!index) return refuse(index.error().message());
  os::SystemClock clock;
  os::SystemRandom random;
  auto engine = engine::Engine::open({}, **store, clock, random, index->get());
  if (!engine) return refuse(engine.error().message());
  SlowActivities slow(**engine, more, type);
  auto server = rpc::Server::start(slow, {.address = "127.0.0.1:0"});
  if (!server) return refuse(server.error().message());
  fmt::print("{}\n", (*server)->address());
  std::fflush(stdout);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int signal = 0;
  sigwait(&set, &signal);
  (*server)->stop(std::chrono::milliseconds(0));
  return 0;
}

}  // namespace

}  // namespace holdfast::bench

int main(int argc, char** argv) {
  sigset_t set;  // before any thread exists, so that all inherit it
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::string data;
  std::string type;
  int ms = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--data") data = argv[i + 1];
    if (name == "--type") type = argv[i + 1];
    if (name == "--ms") ms = std::atoi(argv[i + 1]);
  }
  if (data.empty() || ms <= 0) return holdfast::bench::refuse("--data DIR --ms N [--type PREFIX]");
  return holdfast::bench::serve(data, std::chrono::milliseconds(ms), type);
}
