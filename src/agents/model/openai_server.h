#pragma once

// What OpenAI's formats have in common on the way to a server, and what Azure calls by other names: the key's
// header, the version in the query, the deployment in the path. Pure.

#include <string>
#include <string_view>

#include "model/provider.h"

namespace holdfast::model {

// `authorization`, or `api-key` at Azure.
net::Headers openai_headers(const std::string& api_key, const Dialect& dialect);

// `path` behind the base URL. With an API version, Azure's older address: the deployment that the model names
// (`per_deployment`), unless the base URL names it, and the version.
std::string openai_path(std::string_view path, bool per_deployment, const Request& request,
                        const Dialect& dialect);

}  // namespace holdfast::model
