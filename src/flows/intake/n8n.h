#pragma once

// An export of n8n as a flow file, files of the agents in it, and a report: of each node what it became, and
// of everything that has no counterpart that it was left out. It is read as data and never executed. What
// could not be understood stands in the flow as a block that fails and says so, with its parameters beside
// it.
//
// n8n runs a node once for each item of a list; a block runs once. The flow is what n8n does with one item.
// Pure.

#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::flows {

struct ImportNote {
  enum class Kind { kBecame, kCheck, kLeftOut };
  Kind kind = Kind::kCheck;
  std::string of;  // a node; empty: of the workflow
  std::string what;
};

struct ImportedFlow {
  std::string name;
  std::string yaml;
  std::vector<std::pair<std::string, std::string>> agents;  // name of the file, its text
  std::vector<ImportNote> notes;
  std::size_t nodes = 0;     // that are steps
  std::size_t left_out = 0;  // of those: without a counterpart
};

// `name`: of the flow; empty: made of the workflow's. INVALID_ARGUMENT: it is no such export.
Result<ImportedFlow> import_n8n(std::string_view text, std::string_view source, std::string_view name);

}  // namespace holdfast::flows
