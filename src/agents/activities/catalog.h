#pragma once

// What this build knows: every tool type, every model provider; and definitions read with that. Any thread.

#include <string>
#include <string_view>

#include "definition/definition.h"

namespace holdfast::agent {

const Catalog& agent_catalog();

Result<AgentDefinition> parse_definition(std::string_view text, std::string_view source,
                                         std::string_view base_directory = {});
std::string definition_schema();

}  // namespace holdfast::agent
