#pragma once

// The heap as the allocator sees it. Thread-safe; the question costs some microseconds.

#include <cstddef>
#include <optional>

namespace holdfast::os {

// What the allocator has handed out. None: it does not say (the sanitizers').
std::optional<std::size_t> heap_bytes();

}  // namespace holdfast::os
