#pragma once

// `holdfast flow run`, and the commands about flow files below `holdfast flow`.

#include <CLI/CLI.hpp>
#include <functional>

#include "app/commands.h"

namespace holdfast::app {

// The command that runs if the subcommand was named.
using ChooseCommand = std::function<void(CLI::App* sub, std::function<int()> command)>;
// The options of one that uses the HTTP API.
using AddApi = std::function<void(CLI::App* sub, ApiOptions& api)>;

void add_flow_run(CLI::App& flow, const ChooseCommand& choose, const AddApi& add_api);
void add_flow_files(CLI::App& flow, const ChooseCommand& choose, const AddApi& add_api);

}  // namespace holdfast::app
