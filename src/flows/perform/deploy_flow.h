#pragma once

// A flow becomes the current version under its name, and what a start of it is checked against. Touches the
// store it is given and nothing else; any thread.

#include <functional>
#include <string>
#include <string_view>

#include "block/code_block.h"
#include "definition/need.h"
#include "grant/grants.h"
#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::flows {

struct FlowToDeploy {
  std::string_view text;
  std::string_view source;
  std::string_view base_directory = {};
  // As whom it is to be stored: another one is FAILED_PRECONDITION. kFlowPrefix alone, or empty: any flow.
  std::string_view expected_as = {};
  // What it names must be granted; else PERMISSION_DENIED with every grant that is missing. Null: it comes
  // from the operator, who grants it by that.
  const grant::Grants* within = nullptr;
  // Asked when a block's code is in another language than JavaScript: whether this machine runs it. Null:
  // nobody is asked.
  std::function<Status(CodeLanguage)> check_language = {};
};

struct DeployedFlow {
  std::string stored_as;  // kFlowPrefix and its name
  std::string version;    // hex sha256 of the canonical JSON
  bool created = false;   // it was not the current version
  bool is_new = false;    // it was not there at all
  agent::Needs needs;
};

Result<DeployedFlow> deploy_flow(platform::Store& store, const FlowToDeploy& flow);

// Whether a run of that definition may begin with this input and these settings. INVALID_ARGUMENT says what
// is wrong.
Status check_start(const platform::Definition& definition, std::string_view input);
Status check_flow_settings(std::string_view settings);

}  // namespace holdfast::flows
