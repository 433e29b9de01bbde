#include "definition/names.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace holdfast::agent {

bool is_agent_name(std::string_view name) {
  auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), ok);
}

bool is_tool_name(std::string_view name) {
  auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), ok);
}

bool is_team_name(std::string_view name) {
  auto ok = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), ok);
}

bool is_environment_name(std::string_view name) {
  auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return std::all_of(name.begin(), name.end(), ok) && !std::isdigit(static_cast<unsigned char>(name[0]));
}

bool is_http_url(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

std::string alternatives(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

void check_declared(spec::MapReader& in, std::string_view key, const std::vector<std::string>& used,
                    const nlohmann::json& parameters) {
  std::vector<std::string> known;
  if (parameters.is_object() && parameters.contains("properties")) {
    for (const auto& [name, unused] : parameters["properties"].items()) known.push_back(name);
  }
  for (const std::string& name : used) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string_view near = spec::nearest_name(name, known);
    in.problem(key,
               fmt::format("uses the argument `{}`, which `parameters.properties` does not declare; {}", name,
                           near.empty() ? "declare it there" : fmt::format("did you mean `{}`?", near)));
  }
}

}  // namespace holdfast::agent
