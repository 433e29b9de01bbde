#pragma once

// The identity providers of a server: its file read, and where the secrets of its clients are.

#include <functional>
#include <string>
#include <vector>

#include "grant/permits.h"
#include "holdfast/status.h"
#include "oidc/login.h"

namespace holdfast::app {

// `secret`: of a named secret, asked for when somebody signs in. Failures are of the file.
Result<std::vector<oidc::ProviderSettings>> read_oidc_file(
    const std::string& file, grant::Environment environment,
    std::function<Result<std::string>(const std::string& name)> secret);

}  // namespace holdfast::app
