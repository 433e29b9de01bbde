#pragma once

// The environment of a run: the label of its agent that it was started by ("production"). It stands in the
// settings of the run, which sub-agents take over from whoever called them. Pure.

#include <string>
#include <string_view>

namespace holdfast::platform {

inline constexpr std::string_view kEnvironmentSetting = "environment";

// Empty: the run was started by no label.
std::string environment_in(std::string_view settings);
// The same settings, keys sorted, with it.
std::string with_environment(std::string settings, std::string_view environment);

}  // namespace holdfast::platform
