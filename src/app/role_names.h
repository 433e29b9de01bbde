#pragma once

// Roles as commands take them: ROLE and ROLE@NAMESPACE. Blocking: the server's own namespace is its to tell.

#include <expected>
#include <string>
#include <vector>

#include "app/api_session.h"

namespace holdfast::app {

// {"NAMESPACE": [ROLE, ...]}.
std::expected<Json, int> roles_json(ApiSession& api, const std::vector<std::string>& roles);

}  // namespace holdfast::app
