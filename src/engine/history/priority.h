#pragma once

// Priorities of executions and activities, as a start or a command says them.

#include <cstdint>
#include <string>

#include "history/stored.h"

namespace holdfast::history::priority {

// How soon a task goes, the lowest first: five levels, the middle one where none is said. Weights and keys of
// fairness are kept and shown, and change no order.
std::uint8_t level(const pb::common::v1::Priority& priority);
inline constexpr std::uint8_t kDefaultLevel = 3;

// What is wrong with it, in Temporal's words, or empty.
std::string problem(const pb::common::v1::Priority& priority);

}  // namespace holdfast::history::priority
