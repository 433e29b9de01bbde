#pragma once

// Commands about flows on a server.

#include "app/commands.h"
#include "app/flow_file_commands.h"

namespace holdfast::app {

struct FlowApplyOptions {
  ApiOptions api;
  std::vector<std::string> files;
};
int apply_flows(const FlowApplyOptions& options);

struct FlowListOptions {
  ApiOptions api;
  std::optional<std::string> name;  // show one
};
int list_flows(const FlowListOptions& options);

// `agent` is the name of a flow, or a file with one, which is registered before.
// With a part: that is run here, of the file.
int run_flow(const RunOptions& options, const FlowPartOptions& part);

}  // namespace holdfast::app
