#include "platform/run_environment.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::platform {

using Json = nlohmann::json;

std::string environment_in(std::string_view settings) {
  if (settings.find(kEnvironmentSetting) == std::string_view::npos) return {};
  const Json read = parse_json<Json>(settings);
  if (!read.is_object()) return {};
  const auto found = read.find(kEnvironmentSetting);
  return found != read.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string with_environment(std::string settings, std::string_view environment) {
  if (environment.empty()) return settings;
  auto read = read_json(settings.empty() ? "{}" : settings, kMaxJsonDepth, Integers::kExact);
  if (!read || !read->is_object()) return settings;  // whoever reads them says what is wrong
  (*read)[std::string(kEnvironmentSetting)] = environment;
  return dump_json(*read);
}

}  // namespace holdfast::platform
