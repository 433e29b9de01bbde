// Signing in at an identity provider, and what its groups mean here.

#include <fmt/format.h>

#include "base/ascii.h"
#include "http/api_context.h"
#include "http/cookies.h"
#include "http/decide_page.h"
#include "oidc/groups.h"
#include "oidc/login.h"

namespace holdfast::http {

namespace {

constexpr std::string_view kOidcCookie = "holdfast_oidc";

// The answer comes by way of another site, which Strict would keep the cookie from; it opens nothing.
Header set_oidc_cookie(const Request& request, std::string_view value, std::chrono::seconds lasts) {
  return set_cookie(request, kOidcCookie, value, "Lax", lasts);
}

// What people see who come back from the provider and are not let in.
Response refused_page(const Status& status) {
  const Problem problem = Problem::from(status);
  Response response = problem.response();
  response.content_type = "text/html; charset=utf-8";
  response.body = fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Not signed in</title>"
      "<meta name=\"viewport\" content=\"width=device-width\"><main><h1>Not signed in</h1><p>{}</p>"
      "<p><a href=\"/\">Back to the sign-in page</a></p></main></html>",
      html_escaped(status.message()));
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

std::string base_url(const ApiContext& context, const Request& request) {
  std::string url = context.info.public_url;
  // The guard has found that the host is ours.
  if (url.empty()) url = fmt::format("{}://{}", request.secure ? "https" : "http", request.header("host"));
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::optional<Problem> no_login(const ApiContext& context) {
  if (context.deps.login != nullptr) return std::nullopt;
  return Problem(404, "no_identity_provider", "this server has no identity provider")
      .hint("start it with --oidc FILE");
}

Response list_providers(ApiContext& context, Request&) {
  Json rows = Json::array();
  if (context.deps.login != nullptr) {
    for (const auto& [name, label] : context.deps.login->providers())
      rows.push_back({{"name", name}, {"label", label}});
  }
  return json_response({{"providers", std::move(rows)}});
}

Response begin(ApiContext& context, Request& request) {
  if (auto problem = no_login(context)) return problem->response();
  auto body = json_body(request, {"return_to"}, true);
  if (!body) return body.error().response();
  auto return_to = string_member(*body, "return_to", oidc::kMaxReturnBytes);
  if (!return_to) return return_to.error().response();
  auto begun = context.deps.login->begin(request.param("provider"), base_url(context, request), *return_to);
  if (!begun) return Problem::from(begun.error()).response();
  Response response = json_response({{"url", begun->url}});
  response.headers.push_back(set_oidc_cookie(request, begun->cookie, oidc::kLoginLasts));
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

Response callback(ApiContext& context, Request& request) {
  if (auto problem = no_login(context)) return problem->response();
  const auto value = [&](std::string_view name) {
    return request.query_value(name).value_or(std::string_view());
  };
  const std::string label(request.header("user-agent").substr(0, 120));
  auto finished = context.deps.login->finish({.cookie = cookie(request, kOidcCookie),
                                              .state = value("state"),
                                              .code = value("code"),
                                              .error = value("error"),
                                              .issuer = value("iss")},
                                             label);
  Response response = finished ? Response{.status = 303, .content_type = {}} : refused_page(finished.error());
  if (finished) {
    response.headers.push_back({"Location", finished->return_to});
    response.headers.push_back({"Cache-Control", "no-store"});
    response.headers.push_back(set_session(request, finished->session.text, finished->lasts));
  }
  response.headers.push_back(set_oidc_cookie(request, "", std::chrono::seconds(0)));
  return response;
}

// ---- groups

Json group_json(const platform::OidcGroup& row) {
  return {{"provider", row.provider},
          {"group", row.name},
          {"roles", parse_json<Json>(row.roles)},
          {"teams", parse_json<Json>(row.teams)},
          {"set_by", row.set_by},
          {"set_at", iso_time(row.set_at)}};
}

Response list_groups(ApiContext& context, Request&) {
  if (auto problem = no_login(context)) return problem->response();
  const auto all = context.deps.login->groups();
  if (!all) return Problem::from(all.error()).response();
  Json rows = Json::array();
  for (const platform::OidcGroup& row : *all) rows.push_back(group_json(row));
  return json_response({{"groups", std::move(rows)}});
}

Response set_group(ApiContext& context, Request& request) {
  if (auto problem = no_login(context)) return problem->response();
  if (auto problem = not_everywhere(context, request)) return problem->response();
  auto body = json_body(request, {"roles", "teams"});
  if (!body) return body.error().response();
  platform::OidcGroup group;
  group.provider = request.param("provider");
  group.name = request.param("group");
  if (const auto roles = body->find("roles"); roles != body->end()) group.roles = dump_json(*roles);
  if (const auto teams = body->find("teams"); teams != body->end()) group.teams = dump_json(*teams);
  const auto set = context.deps.login->set_group(std::move(group), actor_of(request, identity::kLocalName));
  return set ? json_response(group_json(*set)) : Problem::from(set.error()).response();
}

Response delete_group(ApiContext& context, Request& request) {
  if (auto problem = no_login(context)) return problem->response();
  if (auto problem = not_everywhere(context, request)) return problem->response();
  const Status deleted = context.deps.login->delete_group(std::string(request.param("provider")),
                                                          std::string(request.param("group")),
                                                          actor_of(request, identity::kLocalName));
  return deleted.ok() ? json_response(Json::object()) : Problem::from(deleted).response();
}

}  // namespace

void add_oidc_routes(Router& router, ApiContext& context) {
  using enum Permission;
  router.add("GET", "/api/v1/session/providers", kAnyone, context.at_once(list_providers));
  router.add("POST", "/api/v1/session/providers/{provider}", kAnyone, context.answering(begin));
  static_assert(oidc::kCallbackPath == std::string_view("/oidc/callback"));  // as providers are told
  router.add("GET", "/oidc/callback", kAnyone, context.answering(callback), {"*"});
  router.add("GET", "/api/v1/groups", kAdmin, context.answering(list_groups));
  router.add("PUT", "/api/v1/groups/{provider}/{group}", kAdmin, context.answering(set_group));
  router.add("DELETE", "/api/v1/groups/{provider}/{group}", kAdmin, context.answering(delete_group));
}

}  // namespace holdfast::http
