#pragma once

// Whether a block's code is Python, which the machine that runs it has or has not. Pure.

#include "block/block.h"

namespace holdfast::flows {

// Of a block of any type.
bool is_python(const BoundBlock& block);

}  // namespace holdfast::flows
