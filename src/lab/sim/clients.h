#pragma once

// Those who start, signal and update runs: what they ask for is drawn from the seed, and they insist until
// answered.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/network.h"
#include "sim/world.h"

namespace holdfast::sim {

inline constexpr const char* kQueue = "sim";
inline constexpr const char* kNamespace = "default";

struct Plan {
  std::string workflow_id;
  int signals = 0;
  int updates = 0;
  int children = 0;
  int chain = 0;            // how often it continues as new
  std::int64_t begins = 0;  // ns after the start of the world
};

// What a run is told, as its input: how many signals and updates to expect, how many children to start, and
// how many runs are to follow it.
std::string plan_input(const Plan& plan);
struct Expected {
  int signals = 0;
  int updates = 0;
  int children = 0;
  int chain = 0;
};
Expected parse_input(const std::string& input);

class Clients {
 public:
  Clients(World& world, Network& network) : world_(world), network_(network) {}

  std::vector<Plan> draw_plans();
  void begin(const std::vector<Plan>& plans);

 private:
  void start(const Plan& plan);
  void signal(const Plan& plan, int number);
  void update(const Plan& plan, int number);

  World& world_;
  Network& network_;
};

}  // namespace holdfast::sim
