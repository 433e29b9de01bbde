#pragma once

// Routes of the field's protocols. Internal to the module.

#include "http/api_context.h"

namespace holdfast::http {

void add_interop_routes(Router& router, ApiContext& context);

}  // namespace holdfast::http
