#pragma once

// JSON as the YAML that people write flows in: keys in their order, short values on one line, texts of
// several lines as such. Reads back as the same. Pure.

#include <string>

#include <nlohmann/json.hpp>

namespace holdfast::flows {

std::string flow_text(const nlohmann::ordered_json& value);

}  // namespace holdfast::flows
