#pragma once

// Files that a command names: definitions, inputs, scripts. Blocking; any thread.

#include <string>

namespace holdfast::app {

// Where the paths in a definition begin: the absolute folder of the file, by its one real name, so that a
// definition has the same version whichever way its file was named.
std::string folder_of(const std::string& file);

}  // namespace holdfast::app
