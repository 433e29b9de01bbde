#pragma once

// A definition that a request brings as its body, YAML or JSON: checked and registered. Internal to the
// module; blocks on the store.

#include <expected>
#include <string>

#include "http/api_context.h"
#include "platform/store.h"

namespace holdfast::http {

// What is brought, as messages call it.
struct UploadKind {
  const char* code;  // of what is wrong in it
  const char* noun;
  const char* file;  // what errors call it, when ?source= does not
  const char* guide;
};
inline constexpr UploadKind kAgentUpload{"invalid_definition", "definition", "agent.yaml",
                                         "docs/guide/agents.md"};
inline constexpr UploadKind kFlowUpload{"invalid_flow", "flow", "flow.yaml", "docs/guide/flows.md"};

struct Uploaded {
  platform::Definition definition;
  bool created = false;
  bool is_new = false;
};

// ?base=FOLDER is where it lies on this machine. `expected_name`: as it is stored; empty: any.
std::expected<Uploaded, Problem> upload(ApiContext& context, const Request& request, const UploadKind& kind,
                                        std::string expected_name);
// `row` is the definition's JSON.
Response uploaded_response(Json row, const Uploaded& uploaded);

}  // namespace holdfast::http
