#pragma once

// How the entities of an execution declare themselves: a table of rows (state, event, next state), checked at
// every step. A step without a row is not taken; the caller answers "not found" or ignores it.

#include <optional>
#include <span>

namespace holdfast::history {

template <typename State, typename On>
struct Transition {
  State from;
  On on;
  State to;
};

template <typename Table, typename State, typename On>
constexpr std::optional<State> next_state(const Table& table, State from, On on) {
  for (const auto& row : table) {
    if (row.from == from && row.on == on) return row.to;
  }
  return std::nullopt;
}

}  // namespace holdfast::history
