#pragma once

// What tools a server says it has: each with the hash that pins it, and in the form in which a definition can
// hold it. Everything here was written by the server. Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "definition/mcp_servers.h"
#include "holdfast/status.h"
#include "mcp/message.h"

namespace holdfast::mcp {

inline constexpr std::size_t kMaxListedTools = 1024;
inline constexpr std::size_t kMaxToolNameBytes = 256;
inline constexpr std::size_t kMaxDescriptionBytes = 16 * 1024;

struct ListedTool {
  std::string name;
  std::string description;
  Json parameters;                             // JSON Schema, in keywords that are checked before a call
  std::map<std::string, std::string> headers;  // JSON pointer of an argument to the header that it goes into
  std::string sha256;                          // of name, description, schemas and annotations
  protocol::Effect claimed = protocol::Effect::kAtMostOnce;  // by its annotations
};

struct Listing {
  std::vector<ListedTool> tools;
  // Tools that cannot be used, and why: "`x`: ...".
  std::vector<std::string> left_out;

  // Those of one page. RESOURCE_EXHAUSTED: too many in all.
  Status add(const Json& page, bool over_http);
};

}  // namespace holdfast::mcp
