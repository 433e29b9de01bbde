#pragma once

// JSON as YAML for people, which reads back as the same. Pure.

#include <string>

#include <nlohmann/json.hpp>

namespace holdfast::openapi {

// Keys in the order in which agent.yaml is written: names first, sections last.
std::string yaml_text(const nlohmann::json& json);

}  // namespace holdfast::openapi
