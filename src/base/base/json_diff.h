#pragma once

// What makes one JSON value of another, by meaning: members by their names, and elements of a list that all
// have a `name` by that. Pure; as deep as the values, which their reader has bounded.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

struct JsonChange {
  enum class Kind : std::uint8_t { kAdded, kRemoved, kChanged, kReordered };
  Kind kind = Kind::kChanged;
  std::string path;                // spec.tools[find_order].timeout
  nlohmann::json before;           // of kReordered the names
  nlohmann::json after;            //
  std::vector<std::string> lines;  // of texts of several lines: line_diff()
};

// In the order of the paths' members. Empty: they say the same.
std::vector<JsonChange> json_diff(const nlohmann::json& before, const nlohmann::json& after);

// "added", "removed", "changed", "reordered"
std::string_view to_string(JsonChange::Kind kind);

// {"path","kind","before","after","lines"}, each where there is one.
nlohmann::json to_json(const JsonChange& change);

}  // namespace holdfast
