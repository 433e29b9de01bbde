// The crash loop: a real server is killed with SIGKILL at random moments under load and started again on the
// same data directory, while an oracle in this process remembers what was acknowledged. At the end everything
// acknowledged must be there, nothing completed may have been completed twice, every flow must have finished,
// and every history anyone ever read must be the beginning of what it is now. Prints its seed; the last line
// is the summary.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "call.h"
#include "load.h"
#include "lossy_disk.h"
#include "oracle.h"
#include "server_process.h"

namespace holdfast::crash {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kStartPatience = 20s;
constexpr auto kProgressPatience = 20s;
constexpr auto kDrainPatience = 90s;
constexpr auto kLostPatience = 3s;
// After the first acknowledgement of a life, so that kills fall into work.
constexpr int kMaxLifeMs = 120;
// Of the kills fall into the start, recovery included.
constexpr int kKillAtStartPercent = 15;
constexpr int kMaxStartMs = 60;

struct Options {
  int kills = 20;
  std::uint64_t seed = std::random_device()();
  bool lose_unsynced = false;
  bool expect_violations = false;
  bool keep = false;
  std::vector<std::string> server;
};

void usage() {
  std::fputs(
      "crash_loop [--kills N] [--seed S] [--lose-unsynced] [--expect-violations] [--keep] -- SERVER ARGS...\n"
      "In ARGS, {data} is the data directory, {grpc} and {http} are HOST:PORT.\n",
      stderr);
}

bool parse(int argc, char** argv, Options& options) {
  int i = 1;
  for (; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--") break;
    if (argument == "--lose-unsynced") {
      options.lose_unsynced = true;
    } else if (argument == "--expect-violations") {
      options.expect_violations = true;
    } else if (argument == "--keep") {
      options.keep = true;
    } else if (argument == "--kills" && i + 1 < argc) {
      options.kills = std::atoi(argv[++i]);
    } else if (argument == "--seed" && i + 1 < argc) {
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      return false;
    }
  }
  for (++i; i < argc; ++i) options.server.emplace_back(argv[i]);
  return !options.server.empty() && options.kills > 0;
}

std::string replaced(std::string text, std::string_view name, const std::string& value) {
  if (const std::size_t at = text.find(name); at != std::string::npos) text.replace(at, name.size(), value);
  return text;
}

class Loop {
 public:
  Loop(const Options& options, std::string dir, std::string address)
      : options_(options),
        random_(options.seed),
        address_(std::move(address)),
        server_(command(options, dir, address_), address_, dir + "/server.log") {}

  Status run() {
    if (Status status = life_begins(); !status.ok()) return status;
    if (options_.lose_unsynced && !log_says(kLossyNotice))
      return {Code::kInvalidArgument, "this server loses nothing: use holdfast_lossy, or crash_server"};
    Load load({.address = address_, .seed = options_.seed}, oracle_);
    for (int i = 0; i < options_.kills && enough_ok(); ++i) {
      if (Status status = one_kill(); !status.ok()) return status;
    }
    // What is lost never finishes; the rest of the report needs no patience then.
    const bool lost = !oracle_.violations().empty();
    if (!load.drain(lost ? kLostPatience : kDrainPatience))
      oracle_.violation("flows that are open did not finish after the last kill");
    load.check_histories();
    const auto completed = load.completed_by_visibility();
    if (!completed) {
      oracle_.violation("counting by visibility was answered " + completed.error().to_string());
    } else if (*completed != oracle_.flows().size()) {
      oracle_.violation(
          fmt::format("visibility counts {} completed flows of {}", *completed, oracle_.flows().size()));
    }
    return server_.terminate(10s);
  }

  const Oracle& oracle() const { return oracle_; }
  Oracle& oracle() { return oracle_; }
  int kills() const { return kills_; }

  std::string restarts() {
    if (restart_ms_.empty()) return "no restart";
    std::sort(restart_ms_.begin(), restart_ms_.end());
    return fmt::format("restart to first acknowledgement p50 {} ms, max {} ms",
                       restart_ms_[restart_ms_.size() / 2], restart_ms_.back());
  }

 private:
  static std::vector<std::string> command(const Options& options, const std::string& dir,
                                          const std::string& address) {
    std::vector<std::string> all;
    const std::string http = fmt::format("127.0.0.1:{}", free_port());
    for (const std::string& argument : options.server) {
      all.push_back(
          replaced(replaced(replaced(argument, "{data}", dir + "/data"), "{grpc}", address), "{http}", http));
    }
    return all;
  }

  bool log_says(std::string_view line) const {
    std::ifstream log(server_.log());
    for (std::string each; std::getline(log, each);)
      if (each == line) return true;
    return false;
  }

  // A loop that already failed need not go on.
  bool enough_ok() const { return oracle_.violations().size() < 10; }

  void choose_faults() {
    if (!options_.lose_unsynced) return;
    // Half of the lives lose all that is unsynced, half all but some beginnings of it.
    const std::uint64_t seed = random_() % 2 == 0 ? 0 : random_() | 1;
    server_.set_environment(
        {fmt::format("{}=1", kLoseUnsynced), fmt::format("{}={}", kEarlyWriteback, seed)});
  }

  Status life_begins() {
    choose_faults();
    if (Status status = server_.start(); !status.ok()) return status;
    return server_.wait_until_listening(kStartPatience);
  }

  Status one_kill() {
    const auto before = oracle_.acknowledged();
    const auto born = Clock::now();
    const auto until = born + kProgressPatience;
    while (oracle_.acknowledged() == before) {
      if (Clock::now() > until)
        return {Code::kInternal, fmt::format("nothing is acknowledged after restart {}", kills_)};
      std::this_thread::sleep_for(1ms);
    }
    if (restarted_at_)
      restart_ms_.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *restarted_at_).count());
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % (kMaxLifeMs * 1000)));
    if (Status status = server_.kill(); !status.ok()) return status;
    ++kills_;
    while (static_cast<int>(random_() % 100) < kKillAtStartPercent) {
      choose_faults();
      if (Status status = server_.start(); !status.ok()) return status;
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % (kMaxStartMs * 1000)));
      if (Status status = server_.kill(); !status.ok()) return status;
      ++kills_;
    }
    restarted_at_ = Clock::now();
    return life_begins();
  }

  const Options& options_;
  std::mt19937_64 random_;
  std::string address_;
  ServerProcess server_;
  Oracle oracle_;
  int kills_ = 0;
  std::optional<Clock::time_point> restarted_at_;
  std::vector<std::int64_t> restart_ms_;
};

int main_of(const Options& options) {
  std::string dir = (fs::temp_directory_path() / "hf-crash-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr) return 2;
  fmt::print("seed {}, {} kills, {}; working in {}\n", options.seed, options.kills,
             options.lose_unsynced ? "unsynced bytes are lost" : "plain", dir);
  std::fflush(stdout);
  const auto begin = Clock::now();
  Loop loop(options, dir, fmt::format("127.0.0.1:{}", free_port()));
  if (const Status status = loop.run(); !status.ok()) loop.oracle().violation(status.message());
  const Oracle& oracle = loop.oracle();
  const auto violations = oracle.violations();
  const bool found = !violations.empty();
  for (const std::string& violation : violations) fmt::print("VIOLATION {}\n", violation);
  if (!options.keep && !found) fs::remove_all(dir);
  fmt::print(
      "crash {}: {} kills, seed {}: {} starts, {} signals, {} updates, {} completions acknowledged, {} "
      "repeats "
      "refused; {}; {:.0f} s; {} violations{}\n",
      options.lose_unsynced ? "lose-unsynced" : "plain", loop.kills(), options.seed, oracle.starts.load(),
      oracle.signals.load(), oracle.updates.load(), oracle.completions.load(), oracle.repeats_refused.load(),
      loop.restarts(), std::chrono::duration<double>(Clock::now() - begin).count(), violations.size(),
      options.expect_violations ? " (some expected)" : "");
  return found == options.expect_violations ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::crash

int main(int argc, char** argv) {
  holdfast::crash::Options options;
  if (!holdfast::crash::parse(argc, argv, options)) {
    holdfast::crash::usage();
    return 2;
  }
  return holdfast::crash::main_of(options);
}
