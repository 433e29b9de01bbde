#pragma once

// How many files and connections this process may have open.

#include <cstddef>

namespace holdfast::os {

// As many as the system lets it, `most` at most; a program starts with fewer, out of regard for old ways of
// waiting for them. Returns how many there may be now.
std::size_t allow_open_files(std::size_t most);

}  // namespace holdfast::os
