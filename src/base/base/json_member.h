#pragma once

// Members of JSON objects that others wrote: what is absent, of another type or beyond it reads like nothing.

#include <nlohmann/json.hpp>

#include <cmath>
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
  if (found->is_number_float()) {
    // A whole number that some write with a point. The limits are powers of two, so both are exact.
    const auto number = found->template get<double>();
    if (!(number >= -0x1p63 && number < 0x1p63) || number != std::floor(number)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (found->is_number_unsigned() && found->template get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return found->template get<std::int64_t>();
}

}  // namespace holdfast
