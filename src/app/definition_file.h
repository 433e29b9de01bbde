#pragma once

// Definition files without a server: beginning one, reading one as a server would, saying what is wrong with
// one. Blocking; a failure is a Status.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::app {

// A name, or a file? What ends like a file or holds a slash is one.
bool names_file(const std::string& agent);

struct DefinitionFile {
  std::string name;
  std::string version;
  std::string canonical;  // JSON
};
// INVALID_ARGUMENT with every mistake, a line each: file:line:column: what is wrong and what to do.
Result<DefinitionFile> read_definition_file(const std::string& file);

// A small agent.yaml with comments. ALREADY_EXISTS when the file is there.
Status write_first_definition(const std::string& file, const std::string& name);

// {"line","column","message"} for each line of what read_definition_file() says.
nlohmann::ordered_json problems_json(const std::string& file, const std::string& message);

}  // namespace holdfast::app
