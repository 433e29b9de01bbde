#pragma once

// The routes of flows: docs/guide/http-api.md.

namespace holdfast::http {

class Router;
struct ApiContext;

void add_flow_routes(Router& router, ApiContext& context);

}  // namespace holdfast::http
