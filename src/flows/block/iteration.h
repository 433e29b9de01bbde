#pragma once

// Iteration: how often the body of a map or loop is run, and over what. Plain value.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "block/block.h"
#include "block/condition.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxItems = 1'000'000;  // of one map, and rounds of one loop
inline constexpr std::uint32_t kMaxParallel = 64;

// What the expressions of a body see beside `input` and `blocks`.
inline constexpr std::string_view kItem = "item";    // of a map
inline constexpr std::string_view kLast = "last";    // of a loop: what the round before came to
inline constexpr std::string_view kIndex = "index";  // from 0
inline constexpr std::array kMapNames{kItem, kIndex};
inline constexpr std::array kLoopNames{kLast, kIndex};

struct Iteration {
  bool is_loop = false;
  // Of a map.
  Written over;                // a list, or how many
  std::uint32_t parallel = 8;  // activities, or runs, at a time
  bool collects = false;       // an item that fails is a result; else it ends the map
  // Of a loop.
  std::uint64_t times = 0;
  std::optional<Condition> until;
  Written first;                       // `last` of the first round
  std::chrono::milliseconds pause{0};  // between two rounds
};

struct IterationSettings : BlockSettings {
  Iteration iteration;
};

inline const Iteration& iteration_of(const BoundBlock& block) {
  return settings_of<IterationSettings>(block).iteration;
}

inline std::span<const std::string_view> names_in_body(const Iteration& iteration) {
  return iteration.is_loop ? std::span<const std::string_view>(kLoopNames) : kMapNames;
}

}  // namespace holdfast::flows
