#pragma once

// Transition tables. Each machine of this folder opens with one: every allowed (state, input) and where it
// leads. Whatever the table does not list is a disagreement between history and code.

#include <array>
#include <cstddef>
#include <optional>

namespace holdfast::worker {

template <typename State, typename Input>
struct Row {
  State from;
  Input on;
  State to;
};

template <typename State, typename Input, std::size_t N>
constexpr std::optional<State> next_state(const std::array<Row<State, Input>, N>& table, State state,
                                          Input input) {
  for (const auto& row : table) {
    if (row.from == state && row.on == input) return row.to;
  }
  return std::nullopt;
}

}  // namespace holdfast::worker
