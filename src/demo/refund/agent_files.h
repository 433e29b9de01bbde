#pragma once

// The demo's agent and the script of its model.

#include <string>

namespace holdfast::demo {

struct AgentPlaces {
  std::string model_url;  // of the scripted model, up to /v1
  std::string receiver_url;
  std::string database;
};

std::string refund_agent(const AgentPlaces& places);
std::string refund_script();
// What the customer wrote: the input of the run.
std::string refund_input();

inline constexpr int kSteps = 10;
inline constexpr int kMessages = 3;

}  // namespace holdfast::demo
