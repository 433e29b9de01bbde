#pragma once

// One simulation: a world, a server that crashes, clients, workers, a network that misbehaves, and the
// oracle's judgement.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/planted_bug.h"

namespace holdfast::sim {

struct SimulationOptions {
  std::uint64_t seed = 1;
  PlantedBug bug = PlantedBug::kNone;
  bool verbose = false;
};

struct Outcome {
  std::uint64_t trace_hash = 0;
  std::vector<std::string> violations;  // none: every promise was kept
  std::uint64_t steps = 0;
  std::uint64_t crashes = 0;
  std::uint64_t answers = 0;  // that left the server and had to be stood by
  std::uint64_t events = 0;   // in the histories at the end
};

Outcome simulate(const SimulationOptions& options);

}  // namespace holdfast::sim
