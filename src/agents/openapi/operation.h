#pragma once

// One operation of a document as a tool of type http. Pure.

#include <map>
#include <string>
#include <vector>

#include "openapi/document.h"

namespace holdfast::openapi {

struct Operation {
  std::string id;      // `operationId`, or made of method and path
  std::string method;  // upper case
  std::string path;
  const Json* item = nullptr;  // of the path
  const Json* node = nullptr;
};

// In the order of the document.
std::vector<Operation> operations_of(const Document& document);

struct ToolEntry {
  Json tool;                       // as it stands in agent.yaml
  std::vector<std::string> notes;  // what was left out
};

// Where the tools' requests go, and how the variables of their secrets are called.
struct Place {
  std::string url;     // of the server, without a slash at the end
  std::string prefix;  // of variables: "PETSTORE_"
};
// INVALID_ARGUMENT: a tool of type http cannot make such a call, and why.
Result<ToolEntry> tool_of(const Document& document, const Operation& operation, const Place& place);

// "get /pets/{id}" -> "get_pets_id": letters, digits, `_` and `-`, 64 at most.
std::string tool_name(std::string_view text);

}  // namespace holdfast::openapi
