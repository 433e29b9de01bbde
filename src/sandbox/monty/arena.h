#pragma once

// The inputs of a code, JSON, as Monty's values: an Arena (proto/holdfast/monty/v1/worker.proto) as bytes.
// Pure.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/message.h"

namespace holdfast::sandbox {

// Of an integer, in and out. Every reader of JSON takes one for a number, and none turns it into a long sum.
inline constexpr std::size_t kMostIntegerDigits = 299;

struct Inputs {
  std::string arena;
  std::vector<std::pair<std::string, std::uint32_t>> names;  // each with its node
};

std::expected<Inputs, Failure> inputs_of(std::string_view json, bool decimals_as_text);

}  // namespace holdfast::sandbox
