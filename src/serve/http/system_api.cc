// Health, readiness, information, and the page with its files.

#include "http/api_context.h"
#include "http/page_files.h"

namespace holdfast::http {

namespace {

Response health(ApiContext&, Request&) {
  return json_response({{"status", "ok"}});
}

Response readiness(ApiContext& context, Request&) {
  if (!context.started || context.stopping) {
    return Problem(503, "not_ready", context.stopping ? "the server is stopping" : "the server is starting")
        .response();
  }
  auto version = context.runs().engine_version();
  if (!version) {
    return Problem(503, "engine_unreachable", "the engine does not answer: " + version.error().message())
        .response();
  }
  return json_response({{"status", "ready"}});
}

Response information(ApiContext& context, Request&) {
  const ApiInfo& info = context.info;
  auto engine = context.runs().engine_version();
  return json_response({{"name", "holdfast"},
                        {"version", info.version},
                        {"engine", info.engine},
                        {"engine_version", engine ? Json(*engine) : Json(nullptr)},
                        {"namespace", info.namespace_name},
                        {"grpc_address", info.grpc_address.empty() ? Json(nullptr) : Json(info.grpc_address)},
                        {"http_address", info.http_address},
                        {"public_url", info.public_url.empty() ? info.http_address : info.public_url},
                        {"dev", info.dev},
                        {"time", iso_time(context.deps.environment->clock().now())}});
}

void serve_file(const PageFile& file, const Request& request, Responder responder) {
  Response response;
  response.headers = {{"ETag", std::string(file.etag)}, {"Cache-Control", "no-cache"}};
  if (request.header("if-none-match") == file.etag) {
    response.status = 304;
    response.content_type.clear();
  } else {
    response.content_type = std::string(file.content_type);
    if (file.content_type.starts_with("text/")) response.content_type += "; charset=utf-8";
    response.body = std::string(file.bytes);
  }
  responder.reply(std::move(response));
}

}  // namespace

void add_system_routes(Router& router, ApiContext& context) {
  router.add("GET", "/healthz", Permission::kAnyone, context.at_once(health));
  router.add("GET", "/readyz", Permission::kAnyone, context.answering(readiness));
  router.add("GET", "/api/v1/info", Permission::kKnown, context.answering(information));
}

void add_page_routes(Router& router) {
  for (const PageFile& file : page_files()) {
    router.add(
        "GET", std::string(file.path), Permission::kAnyone,
        [&file](Request request, Responder responder) { serve_file(file, request, std::move(responder)); },
        {"*"});
  }
}

}  // namespace holdfast::http
