#pragma once

// Expressions of n8n as JavaScript of a flow: `$json`, `$('Node').item.json` and their kin become what flows
// call it. Read as text, never evaluated. Pure.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace holdfast::flows {

// What stands where in n8n.
struct N8nNames {
  std::string json;  // JavaScript of `$json`
  // JavaScript of what a node came to; none: it does not lead here, or there is none.
  std::function<std::optional<std::string>(std::string_view node)> node;
  std::string workflow;  // its name
  std::string items;     // JavaScript of all that comes in; empty: it is one item
};

struct N8nCode {
  std::string code;
  std::vector<std::string> unknown;  // what of it has no counterpart, as it stands there
};

N8nCode convert_code(std::string_view code, const N8nNames& names);

// A value of a parameter: a text that begins with `=` has expressions in {{ }}, any other stands for itself.
struct N8nValue {
  nlohmann::ordered_json text;       // as the flow's `with` has it
  std::string code;                  // as JavaScript
  std::vector<std::string> unknown;  // likewise; then both throw when they are evaluated
  bool computed = false;             // it has expressions
};
N8nValue convert_value(const nlohmann::ordered_json& value, const N8nNames& names);

}  // namespace holdfast::flows
