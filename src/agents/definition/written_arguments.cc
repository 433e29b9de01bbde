#include "definition/written_arguments.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "spec/written_order.h"

namespace holdfast::agent {

using nlohmann::json;
using nlohmann::ordered_json;

json parameters_like(const ordered_json& arguments) {
  json out = json::object();
  if (arguments.is_array()) {
    const auto has_order = [](const ordered_json& item) { return item.is_structured(); };
    if (std::ranges::none_of(arguments, has_order)) return out;
    for (const ordered_json& item : arguments) out["prefixItems"].push_back(parameters_like(item));
  } else if (arguments.is_object()) {
    std::vector<std::string> names;
    json& properties = out["properties"] = json::object();
    for (const auto& [name, value] : arguments.items()) {
      names.push_back(name);
      properties[name] = parameters_like(value);
    }
    if (!std::ranges::is_sorted(names)) out[std::string(spec::kOrderKeyword)] = names;
  }
  return out;
}

ordered_json in_order_of(const json& parameters, const json& arguments) {
  static const json kAny = json::object();
  if (arguments.is_array()) {
    const auto items = parameters.find("prefixItems");
    ordered_json out = ordered_json::array();
    for (std::size_t i = 0; i < arguments.size(); ++i)
      out.push_back(
          in_order_of(items != parameters.end() && i < items->size() ? (*items)[i] : kAny, arguments[i]));
    return out;
  }
  if (!arguments.is_object()) return arguments;
  ordered_json out = ordered_json::object();
  auto& members = out.get_ref<ordered_json::object_t&>();  // whose operator[] looks through all of them
  const std::vector<std::string> names = spec::property_names(parameters);
  for (const std::string& name : names) {
    const auto found = arguments.find(name);
    if (found != arguments.end())
      members.emplace_back(name, in_order_of(parameters["properties"][name], *found));
  }
  for (const auto& [name, value] : arguments.items()) {
    if (!parameters.contains("properties") || !parameters["properties"].contains(name))
      members.emplace_back(name, in_order_of(kAny, value));
  }
  return out;
}

}  // namespace holdfast::agent
