#pragma once

// Files that a command names: definitions, inputs, scripts. Blocking; any thread.

#include <cstddef>
#include <string>

#include "holdfast/status.h"

namespace holdfast::app {

// As much as the API takes in one body.
inline constexpr std::size_t kMaxInputFileBytes = 4 << 20;

// The whole file; "-" is standard input. Pipes are read too, so that a shell's <(command) works. NOT_FOUND:
// it is not there; INVALID_ARGUMENT: it is a directory, or larger than `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = kMaxInputFileBytes);

// Where the paths in a definition begin: the absolute folder of the file, by its one real name, so that a
// definition has the same version whichever way its file was named.
std::string folder_of(const std::string& file);

}  // namespace holdfast::app
