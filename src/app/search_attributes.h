#pragma once

// What `--search-attribute NAME=Type` asks for: that the namespace of the agents has these, on either engine.

#include <string>
#include <vector>

#include "api/connection.h"
#include "holdfast/status.h"

namespace holdfast::app {

// INVALID_ARGUMENT when it is not NAME=Type.
Status check_search_attribute(const std::string& flag);

// Registers those that are missing; one that has another type is ALREADY_EXISTS. Waits for the engine.
Status register_search_attributes(api::Connection& connection, const std::string& namespace_name,
                                  const std::vector<std::string>& flags);

}  // namespace holdfast::app
