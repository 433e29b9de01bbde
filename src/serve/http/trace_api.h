#pragma once

// GET /api/v1/runs/{id}/trace. Internal to the module.

#include "http/api_context.h"

namespace holdfast::http {

Response show_trace(ApiContext& context, Request& request);

}  // namespace holdfast::http
