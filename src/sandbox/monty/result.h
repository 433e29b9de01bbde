#pragma once

// What a code came to, Monty's values, as JSON. Pure. The bytes come from a process that may have been taken
// over: a node may name only those before it, and what is written is bounded, however often a node is named.

#include <cstdint>
#include <string_view>

#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::sandbox {

// Into the result of `reply`, or its failure. DATA_LOSS: it is no Arena.
Status write_result(std::string_view arena, std::uint32_t root, std::size_t most_bytes, Reply& reply);

}  // namespace holdfast::sandbox
