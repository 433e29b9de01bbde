#include "definition/value_name.h"

#include <algorithm>
#include <cctype>

#include "definition/names.h"

namespace holdfast::agent {

std::optional<std::string_view> secret_named(std::string_view name) {
  constexpr std::string_view kPrefix = "secret:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return name.substr(kPrefix.size());
}

bool is_value_name(std::string_view name) {
  const auto secret = secret_named(name);
  if (!secret) return is_environment_name(name);
  auto ok = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  };
  return !secret->empty() && secret->size() <= 64 && std::all_of(secret->begin(), secret->end(), ok);
}

}  // namespace holdfast::agent
