#pragma once

// The arguments of a hook's call as a file says them, of tools and of blocks of flows. Pure.

#include <string_view>
#include <vector>

#include "definition/tool_hooks.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

// `arguments` of `in`; `roots`: what their placeholders may begin with.
void parse_hook_arguments(spec::MapReader& in, const std::vector<std::string_view>& roots, HookCall& out);

}  // namespace holdfast::agent
