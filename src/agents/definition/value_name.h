#pragma once

// What stands where a definition names a value and does not say it: an environment variable, or
// `secret:NAME`. Pure.

#include <optional>
#include <string_view>

namespace holdfast::agent {

bool is_value_name(std::string_view name);
// NAME of `secret:NAME`; none: it names no secret.
std::optional<std::string_view> secret_named(std::string_view name);

}  // namespace holdfast::agent
