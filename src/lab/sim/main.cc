// sim: runs the seeded simulator. `sim --seed N` reproduces one seed, with --trace every step of it.

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "sim/simulation.h"

namespace {

using holdfast::sim::PlantedBug;

const std::map<std::string_view, PlantedBug> kBugs = {
    {"none", PlantedBug::kNone},
    {"ack-before-commit", PlantedBug::kAckBeforeCommit},
    {"lost-dedup", PlantedBug::kLostDedup},
    {"dropped-timer", PlantedBug::kDroppedTimer},
    {"stale-token", PlantedBug::kStaleTokenAccepted},
    {"torn-batch", PlantedBug::kTornBatch},
};

int usage() {
  std::fputs("sim [--seed N] [--seeds COUNT] [--trace] [--bug NAME]\nbugs:", stderr);
  for (const auto& [name, bug] : kBugs) std::fprintf(stderr, " %s", std::string(name).c_str());
  std::fputs("\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  holdfast::sim::SimulationOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--trace") {
      options.verbose = true;
    } else if (i + 1 == argc) {
      return usage();
    } else if (name == "--seed") {
      first = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--seeds") {
      count = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--bug" && kBugs.contains(argv[i + 1])) {
      options.bug = kBugs.at(argv[++i]);
    } else {
      return usage();
    }
  }
  std::uint64_t failed = 0;
  std::uint64_t steps = 0, crashes = 0, answers = 0, events = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    options.seed = seed;
    const holdfast::sim::Outcome outcome = holdfast::sim::simulate(options);
    steps += outcome.steps, crashes += outcome.crashes, answers += outcome.answers, events += outcome.events;
    if (count == 1) std::printf("seed %" PRIu64 ": trace %016" PRIx64 "\n", seed, outcome.trace_hash);
    if (outcome.violations.empty()) continue;
    ++failed;
    for (const std::string& what : outcome.violations)
      std::printf("seed %" PRIu64 ": %s\n", seed, what.c_str());
  }
  std::printf("%" PRIu64 " seeds, %" PRIu64 " failed; %" PRIu64 " steps, %" PRIu64 " crashes, %" PRIu64
              " answers, %" PRIu64 " events\n",
              count, failed, steps, crashes, answers, events);
  return failed == 0 ? 0 : 1;
}
