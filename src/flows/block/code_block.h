#pragma once

// In which language a block's code is: some, the machine that runs it has or has not. Pure.

#include <cstdint>

#include "block/block.h"

namespace holdfast::flows {

enum class CodeLanguage : std::uint8_t { kJavaScript, kPython, kMonty };

// Of a block of any type; without code it is JavaScript.
CodeLanguage language_of(const BoundBlock& block);

}  // namespace holdfast::flows
