#pragma once

// Which address a server listens on: exactly the one that was asked for, or the first free one from the
// default on.

#include <functional>
#include <optional>
#include <string>

#include "holdfast/status.h"

namespace holdfast::app {

inline constexpr int kPortsTried = 50;

// `listen` binds an address and returns what it bound; kUnavailable means that the port is in use. `flag`
// names the option in messages.
Result<std::string> listen_on(const std::optional<std::string>& asked, int default_port,
                              std::string_view flag,
                              const std::function<Result<std::string>(const std::string&)>& listen);

}  // namespace holdfast::app
