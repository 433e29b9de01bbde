#pragma once

// A document's operations as an agent.yaml that can be applied as it is. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openapi/document.h"

namespace holdfast::openapi {

struct ImportOptions {
  std::string source;               // names the document in errors; a URL: relative servers are seen from it
  std::vector<std::string> select;  // operationIds; none: all
  std::optional<std::string> server;  // instead of the document's own
  std::optional<std::string> name;    // of the agent; else made of the title
  bool tools_only = false;            // the list of tools, to be put into a definition
};

struct Imported {
  std::string yaml;
  std::size_t tools = 0;
  std::vector<std::string> notes;  // "`getPet`: ...": what was left out, and why
};

// INVALID_ARGUMENT: the document cannot be read, names no server, or has not what was selected.
Result<Imported> import_tools(std::string_view text, const ImportOptions& options);

}  // namespace holdfast::openapi
