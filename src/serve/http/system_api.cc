// Health, readiness, information, and the console with its files.

#include <algorithm>

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

// Whether a client unpacks gzip: a list of names, each perhaps with a weight.
bool takes_gzip(const Request& request) {
  std::string_view accepted = request.header("accept-encoding");
  while (!accepted.empty()) {
    const std::string_view entry = accepted.substr(0, accepted.find(','));
    accepted.remove_prefix(std::min(entry.size() + 1, accepted.size()));
    std::string_view name = entry.substr(0, entry.find(';'));
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    if (name.substr(0, name.find(' ')) != "gzip") continue;
    const std::string_view weight = entry.substr(std::min(entry.find("q="), entry.size()));
    return weight.empty() || weight.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

void serve_file(const PageFile& file, const Request& request, Responder responder) {
  const bool packed = !file.gzip.empty() && takes_gzip(request);
  // Another entity tag for other bytes.
  std::string etag(file.etag);
  if (packed) etag.insert(etag.size() - 1, "-gzip");
  Response response;
  const bool forever = file.kind == PageFile::Kind::kForever;
  response.headers = {{"ETag", etag},
                      {"Cache-Control", forever ? "public, max-age=31536000, immutable" : "no-cache"}};
  if (!file.gzip.empty()) response.headers.push_back({"Vary", "Accept-Encoding"});
  if (request.header("if-none-match") == etag) {
    response.status = 304;
    response.content_type.clear();
  } else {
    response.content_type = std::string(file.content_type);
    if (file.content_type.starts_with("text/")) response.content_type += "; charset=utf-8";
    if (packed) response.headers.push_back({"Content-Encoding", "gzip"});
    response.body = std::string(packed ? file.gzip : file.bytes);
  }
  responder.reply(std::move(response));
}

}  // namespace

void add_system_routes(Router& router, ApiContext& context) {
  router.add("GET", "/healthz", Permission::kAnyone, context.at_once(health));
  router.add("GET", "/readyz", Permission::kAnyone, context.answering(readiness));
  router.add("GET", "/api/v1/info", Permission::kKnown, context.answering(information));
}

std::vector<std::string> page_paths() {
  std::vector<std::string> out = {"/decide/{token}"};  // a link in a mail
  for (const PageFile& file : page_files()) {
    if (file.kind == PageFile::Kind::kPage) out.emplace_back(file.path);
  }
  return out;
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
