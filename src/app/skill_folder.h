#pragma once

// Skills that a definition file names by their folders: their texts are put in the place of the names before
// the definition goes anywhere. Whoever reads the file reads the folders: never a server for its callers.
// Blocking; any thread.

#include <filesystem>
#include <map>
#include <string>

#include "holdfast/status.h"

namespace holdfast::app {

// The definition in `text`, read from `file`, with the texts of its skills. A definition without such names,
// or with mistakes, comes back as it is: whoever takes it says what is wrong. INVALID_ARGUMENT, NOT_FOUND:
// a folder is not there, or holds what no skill may hold.
Result<std::string> with_skills(const std::string& file, std::string text);

// All texts in a folder and those below, by their paths; names that begin with a dot are passed over.
Result<std::map<std::string, std::string>> read_skill_folder(const std::filesystem::path& folder);

}  // namespace holdfast::app
