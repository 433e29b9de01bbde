// Goal: whatever the seed does to it, the engine keeps what it acknowledged; and the simulator can tell.
// Method: 500 seeds, at whose end everything is deleted, of crashes, lost batches, lost, late and repeated
// messages, clock jumps, slow and dying workers; the same seed twice; and five planted bugs, each of which
// the same seeds must find.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "sim/simulation.h"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t kSeeds = 500;

std::string told(const Outcome& outcome) {
  std::string text;
  for (const std::string& violation : outcome.violations) text += "\n  " + violation;
  return text;
}

TEST(Simulation, KeepsItsPromisesUnderEverySeed) {
  std::uint64_t crashes = 0;
  std::uint64_t events = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = simulate({.seed = seed});
    crashes += outcome.crashes;
    events += outcome.events;
    EXPECT_TRUE(outcome.violations.empty()) << "sim --seed " << seed << ":" << told(outcome);
  }
  // The seeds are worth nothing if nothing happens in them.
  EXPECT_GT(crashes, kSeeds);
  EXPECT_GT(events, 20 * kSeeds);
}

TEST(Simulation, SameSeedSameTrace) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(simulate({.seed = seed}).trace_hash, simulate({.seed = seed}).trace_hash) << "seed " << seed;
  }
  EXPECT_NE(simulate({.seed = 1}).trace_hash, simulate({.seed = 2}).trace_hash);
}

class PlantedBugTest : public testing::TestWithParam<PlantedBug> {};

// In a process of its own: an engine whose store was torn may well stop itself, which is finding it too.
TEST_P(PlantedBugTest, IsFound) {
  const auto search = [] {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      if (!simulate({.seed = seed, .bug = GetParam()}).violations.empty()) return 1;
    }
    return 0;
  };
  const auto found = [](int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; };
  EXPECT_EXIT(std::exit(search()), found, "") << "none of " << kSeeds << " seeds notices";
}

INSTANTIATE_TEST_SUITE_P(Simulation, PlantedBugTest,
                         testing::Values(PlantedBug::kAckBeforeCommit, PlantedBug::kLostDedup,
                                         PlantedBug::kDroppedTimer, PlantedBug::kStaleTokenAccepted,
                                         PlantedBug::kTornBatch),
                         [](const auto& info) {
                           switch (info.param) {
                             case PlantedBug::kAckBeforeCommit: return "AckBeforeCommit";
                             case PlantedBug::kLostDedup: return "LostDedup";
                             case PlantedBug::kDroppedTimer: return "DroppedTimer";
                             case PlantedBug::kStaleTokenAccepted: return "StaleTokenAccepted";
                             case PlantedBug::kTornBatch: return "TornBatch";
                             case PlantedBug::kNone: break;
                           }
                           return "None";
                         });

}  // namespace
}  // namespace holdfast::sim
