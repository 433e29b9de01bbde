#pragma once

// What names and addresses in a definition may look like, and whether a tool declares the arguments it uses.
// Pure.

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "spec/yaml_reader.h"

namespace holdfast::agent {

bool is_agent_name(std::string_view name);
bool is_tool_name(std::string_view name);
bool is_team_name(std::string_view name);
bool is_environment_name(std::string_view name);
bool is_http_url(std::string_view url);
// "http, sql or agent".
std::string alternatives(const std::vector<std::string_view>& names);

// A problem at `key` for each of `used` that the properties of `parameters` do not name.
void check_declared(spec::MapReader& in, std::string_view key, const std::vector<std::string>& used,
                    const nlohmann::json& parameters);

}  // namespace holdfast::agent
