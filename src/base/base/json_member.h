#pragma once

// Members of JSON objects that others wrote: what is absent or of another type reads like nothing.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

template <class Json>
std::string string_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->template get<std::string>() : std::string();
}

template <class Json>
std::optional<std::int64_t> integer_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->template get<std::int64_t>();
}

}  // namespace holdfast
