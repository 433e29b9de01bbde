#pragma once

// A definition becomes the current version of its agent. Touches the store it is given and nothing else; any
// thread.

#include <string>

#include "activities/mcp_tools.h"
#include "definition/definition.h"
#include "grant/grants.h"
#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::agent {

struct Deployed {
  Deployed() = default;
  std::string name;
  std::string version;   // hex sha256 of the canonical JSON: what RunInput::version takes
  bool created = false;  // false: the very same version was there and is current
  bool is_new = false;   // false: that version was there, current or not
  Needs needs;           // what it uses of the machine
  // Of the text, before the tools of its MCP servers were added: the version otherwise.
  std::string text_version;
};

struct ToDeploy {
  std::string_view text;
  std::string_view source;  // names it in errors
  // Where relative paths in it start. Empty: a relative path is INVALID_ARGUMENT.
  std::string_view base_directory = {};
  // Another name in it is FAILED_PRECONDITION. Empty: any.
  std::string_view expected_name = {};
  // What it names must be granted; else PERMISSION_DENIED with every grant that is missing. Null: it comes
  // from the operator, who grants it by that (Grants::allow_named).
  const grant::Grants* within = nullptr;
  // How its MCP servers are asked for their tools. One that comes from the operator needs his grants, too.
  McpAsking asking = {};
  const grant::Grants* grants = nullptr;
  // The current version's tools of a server that stands in both stay as they are, and it is not asked.
  bool keep_tools = false;
};

// What deploying reads and checks before anybody is asked about grants: a definition that this accepts has
// the version (version_of) that it will have in the store. Every mistake at once.
Result<AgentDefinition> read_definition(std::string_view text, std::string_view source,
                                        std::string_view base_directory);

// Everything that the definition names of the machine, but what its MCP servers will say.
Needs needs_of(const AgentDefinition& definition);

// Checks the text and makes it the current version of its agent. The store keeps the canonical JSON.
Result<Deployed> deploy(platform::Store& store, const ToDeploy& definition);

// Where the model is.
std::string model_url(const ModelSpec& model);

}  // namespace holdfast::agent
