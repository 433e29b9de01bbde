#pragma once

// What an agent says of itself, to whom its protocol introduces it. Pure.

#include <string>

#include "platform/records.h"

namespace holdfast::interop {

inline constexpr std::size_t kMaxDescription = 4096;

// The description of its definition, or a word about it.
std::string description_of(const platform::Definition& definition);

}  // namespace holdfast::interop
