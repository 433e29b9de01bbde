// /api/v1/session, /setup, /users, /keys, /sessions: who may use the server.

#include <fmt/format.h>

#include "base/json.h"
#include "http/api_context.h"
#include "identity/sign_in.h"
#include "oidc/login.h"

namespace holdfast::http {

namespace {

using identity::Caller;
using identity::Directory;
using identity::Roles;
using platform::Credential;
using platform::CredentialKind;
using platform::Principal;
using platform::PrincipalKind;

constexpr std::int64_t kMaxKeySeconds = 10LL * 365 * 24 * 3600;
constexpr std::int64_t kMaxGraceSeconds = 7LL * 24 * 3600;

Directory& directory(ApiContext& context) {
  return context.deps.gate->directory();
}

std::string by(const Request& request) {
  return actor_of(request, identity::kLocalName);
}

Json time_json(const std::optional<WallTime>& at) {
  return at ? Json(iso_time(*at)) : Json(nullptr);
}

Json principal_json(const Principal& row) {
  return {{"name", row.name},
          {"kind", row.kind == PrincipalKind::kPerson ? "person" : "service"},
          {"roles", parse_json<Json>(row.roles)},
          {"disabled", row.disabled},
          {"has_password", !row.password.empty()},
          {"created_by", row.created_by},
          {"created_at", iso_time(row.created_at)}};
}

Json credential_json(const Credential& row) {
  return {{"id", row.id},
          {"principal", row.principal},
          {"label", row.label},
          {"created_by", row.created_by},
          {"created_at", iso_time(row.created_at)},
          {"expires_at", time_json(row.expires_at)},
          {"revoked_at", time_json(row.revoked_at)},
          {"used_at", time_json(row.used_at)}};
}

// `roles` of a body, or none.
std::expected<std::optional<Roles>, Problem> roles_of(const Json& body) {
  const auto found = body.find("roles");
  if (found == body.end() || found->is_null()) return std::optional<Roles>();
  auto roles = Roles::parse(dump_json(*found));
  if (!roles) return std::unexpected(Problem(400, "invalid_roles", roles.error().message()));
  return std::optional<Roles>(*std::move(roles));
}

std::expected<std::optional<std::int64_t>, Problem> seconds_of(const Json& body, std::string_view name,
                                                               std::int64_t most) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::optional<std::int64_t>();
  if (!found->is_number_integer() || found->get<std::int64_t>() < 0 || found->get<std::int64_t>() > most) {
    return std::unexpected(
        Problem(400, "invalid_field", fmt::format("'{}' is a number of seconds up to {}", name, most)));
  }
  return std::optional<std::int64_t>(found->get<std::int64_t>());
}

// ---- who am I; signing in and out

Response show_session(ApiContext& context, Request& request) {
  const Caller& sender = sender_of(request);
  static constexpr std::string_view kKinds[] = {"nobody", "local", "key", "session", "certificate", "user"};
  return json_response(
      {{"principal", sender.name},
       {"kind", kKinds[static_cast<std::size_t>(sender.kind)]},
       {"roles", parse_json<Json>(directory(context).roles_of(sender).json())},
       {"teams",
        context.deps.login != nullptr ? Json(context.deps.login->teams_of(sender.name)) : Json::array()},
       {"open", context.deps.gate->is_open()}});
}

Response signed_in(const Request& request, const identity::SignedIn& result) {
  if (!result.status.ok()) {
    Problem problem = Problem::from(result.status);
    if (result.retry_after.count() == 0) return problem.response();
    const auto wait = std::chrono::ceil<std::chrono::seconds>(result.retry_after).count();
    return std::move(problem).header("Retry-After", std::to_string(wait)).response();
  }
  const Credential& row = result.made->row;
  Response response =
      json_response({{"principal", row.principal}, {"expires_at", time_json(row.expires_at)}}, 201);
  response.headers.push_back(set_session(request, result.made->text, identity::kSessionLength));
  return response;
}

std::string browser(const Request& request) {
  return std::string(request.header("user-agent")).substr(0, 120);
}

// A form of another site could sign a person in as somebody else: only pages of ours and programs may.
Response sign_in(ApiContext& context, Request& request) {
  auto body = json_body(request, {"name", "password"});
  if (!body) return body.error().response();
  auto name = string_member(*body, "name", identity::kMaxNameLength);
  if (!name) return name.error().response();
  auto password = string_member(*body, "password", identity::kMaxPasswordBytes);
  if (!password) return password.error().response();
  return signed_in(request, context.deps.sign_in->sign_in(*name, *password, request.peer, browser(request)));
}

Response sign_out(ApiContext& context, Request& request) {
  const Caller& sender = sender_of(request);
  if (sender.kind == Caller::Kind::kSession) {
    const Status ended = directory(context).revoke(sender.credential, sender.name);
    if (!ended.ok()) return Problem::from(ended).response();
  }
  Response response = json_response(Json::object());
  response.headers.push_back(set_session(request, "", std::chrono::seconds(0)));
  return response;
}

Response set_up(ApiContext& context, Request& request) {
  auto body = json_body(request, {"token", "name", "password"});
  if (!body) return body.error().response();
  std::string texts[3];
  for (std::size_t i = 0; std::string_view name : {"token", "name", "password"}) {
    auto text = string_member(*body, name, identity::kMaxPasswordBytes);
    if (!text) return text.error().response();
    texts[i++] = *std::move(text);
  }
  return signed_in(
      request, context.deps.sign_in->set_up(texts[0], texts[1], texts[2], request.peer, browser(request)));
}

Response change_own_password(ApiContext& context, Request& request) {
  const Caller& sender = sender_of(request);
  if (sender.kind != Caller::Kind::kSession)
    return Problem(409, "no_session", "a password is changed by who has signed in with it").response();
  auto body = json_body(request, {"password", "new_password"});
  if (!body) return body.error().response();
  auto old = string_member(*body, "password", identity::kMaxPasswordBytes);
  if (!old) return old.error().response();
  auto fresh = string_member(*body, "new_password", identity::kMaxPasswordBytes);
  if (!fresh) return fresh.error().response();
  // The same check, and the same throttle, as signing in.
  auto checked = context.deps.sign_in->sign_in(sender.name, *old, request.peer, browser(request));
  if (!checked.status.ok()) return signed_in(request, checked);
  auto hashed = context.deps.sign_in->hash(*fresh);
  if (!hashed) return Problem::from(hashed.error()).response();
  auto changed = directory(context).change(
      sender.name, {.roles = {}, .disabled = {}, .password_hash = *std::move(hashed)}, sender.name);
  if (!changed) return Problem::from(changed.error()).response();
  return signed_in(request,
                   context.deps.sign_in->sign_in(sender.name, *fresh, request.peer, browser(request)));
}

// ---- people and services

Response list_users(ApiContext& context, Request&) {
  Json rows = Json::array();
  for (const Principal& row : directory(context).principals()) rows.push_back(principal_json(row));
  return json_response({{"users", std::move(rows)}});
}

Response add_user(ApiContext& context, Request& request) {
  if (auto problem = not_everywhere(context, request)) return problem->response();
  auto body = json_body(request, {"name", "password", "roles"});
  if (!body) return body.error().response();
  auto name = string_member(*body, "name", identity::kMaxNameLength);
  if (!name) return name.error().response();
  auto password = string_member(*body, "password", identity::kMaxPasswordBytes);
  if (!password) return password.error().response();
  auto roles = roles_of(*body);
  if (!roles) return roles.error().response();
  Principal fresh;
  fresh.name = *name;
  if (!password->empty()) {
    auto hashed = context.deps.sign_in->hash(*password);
    if (!hashed) return Problem::from(hashed.error()).response();
    fresh.password = *std::move(hashed);
  }
  auto added = directory(context).add(std::move(fresh), roles->value_or(Roles()), by(request));
  return added ? json_response(principal_json(*added), 201) : Problem::from(added.error()).response();
}

Response change_user(ApiContext& context, Request& request) {
  if (auto problem = not_everywhere(context, request)) return problem->response();
  auto body = json_body(request, {"password", "roles", "disabled"});
  if (!body) return body.error().response();
  identity::PrincipalChange change;
  auto password = string_member(*body, "password", identity::kMaxPasswordBytes);
  if (!password) return password.error().response();
  if (!password->empty()) {
    auto hashed = context.deps.sign_in->hash(*password);
    if (!hashed) return Problem::from(hashed.error()).response();
    change.password_hash = *std::move(hashed);
  }
  auto roles = roles_of(*body);
  if (!roles) return roles.error().response();
  change.roles = *std::move(roles);
  if (const auto disabled = body->find("disabled"); disabled != body->end()) {
    if (!disabled->is_boolean())
      return Problem(400, "invalid_field", "'disabled' is true or false").response();
    change.disabled = disabled->get<bool>();
  }
  auto changed = directory(context).change(std::string(request.param("name")), change, by(request));
  return changed ? json_response(principal_json(*changed)) : Problem::from(changed.error()).response();
}

// ---- keys and sessions

Response made_key(const identity::MadeCredential& made) {
  Json out = credential_json(made.row);
  out["key"] = made.text;
  return json_response(out, 201);
}

Response list_credentials(ApiContext& context, Request& request, CredentialKind kind, const char* member) {
  const Caller& sender = sender_of(request);
  const bool all = context.deps.gate->check(sender, identity::kEveryNamespace, Permission::kAdmin).ok();
  Json rows = Json::array();
  for (const Credential& row : directory(context).credentials(kind)) {
    if (all || row.principal == sender.name) rows.push_back(credential_json(row));
  }
  return json_response({{member, std::move(rows)}});
}

// Of a service that is there; or with `roles` of one that is made.
std::optional<Problem> make_service(ApiContext& context, const Request& request, const std::string& name,
                                    const std::optional<Roles>& roles) {
  const auto there = directory(context).principal(name);
  if (there && !roles) return std::nullopt;
  if (there) {
    if (there->roles == roles->json()) return std::nullopt;
    return Problem(409, "other_roles", fmt::format("'{}' has other roles: {}", name, there->roles))
        .hint("leave the roles out, or change them first: PATCH /api/v1/users/{name}");
  }
  if (!roles)
    return Problem(404, "not_found", fmt::format("there is no '{}'", name))
        .hint("give 'roles' to make a service");
  Principal fresh;
  fresh.name = name;
  fresh.kind = PrincipalKind::kService;
  auto added = directory(context).add(std::move(fresh), *roles, by(request));
  return added ? std::nullopt : std::optional(Problem::from(added.error()));
}

Response create_key(ApiContext& context, Request& request) {
  auto body = json_body(request, {"principal", "roles", "label", "expires_in"});
  if (!body) return body.error().response();
  auto principal = string_member(*body, "principal", identity::kMaxNameLength);
  if (!principal) return principal.error().response();
  auto label = string_member(*body, "label", 200);
  if (!label) return label.error().response();
  auto roles = roles_of(*body);
  if (!roles) return roles.error().response();
  auto lasts = seconds_of(*body, "expires_in", kMaxKeySeconds);
  if (!lasts) return lasts.error().response();
  // Whoever is no admin may make keys of his own, which may what he may.
  const Caller& sender = sender_of(request);
  const bool own = sender.name == *principal && sender.kind != Caller::Kind::kLocal;
  if (!own || *roles) {
    if (auto problem = not_everywhere(context, request)) return problem->response();
  }
  if (auto problem = make_service(context, request, *principal, *roles)) return problem->response();
  identity::NewKey wanted;
  wanted.principal = *principal;
  wanted.label = *label;
  if (*lasts) wanted.expires_at = context.deps.environment->clock().now() + std::chrono::seconds(**lasts);
  auto made = directory(context).create_key(wanted, by(request));
  return made ? made_key(*made) : Problem::from(made.error()).response();
}

// Of others' only an admin's; a name that is not there is told alike.
std::optional<Problem> not_own(ApiContext& context, const Request& request, CredentialKind kind) {
  for (const Credential& row : directory(context).credentials(kind)) {
    if (row.id == request.param("id") && row.principal == sender_of(request).name) return std::nullopt;
  }
  return not_everywhere(context, request);
}

Response rotate_key(ApiContext& context, Request& request) {
  if (auto problem = not_own(context, request, CredentialKind::kKey)) return problem->response();
  auto body = json_body(request, {"grace"}, true);
  if (!body) return body.error().response();
  auto grace = seconds_of(*body, "grace", kMaxGraceSeconds);
  if (!grace) return grace.error().response();
  auto made = directory(context).rotate_key(std::string(request.param("id")),
                                            std::chrono::seconds(grace->value_or(0)), by(request));
  return made ? made_key(*made) : Problem::from(made.error()).response();
}

Response revoke(ApiContext& context, Request& request, CredentialKind kind) {
  if (auto problem = not_own(context, request, kind)) return problem->response();
  const Status ended = directory(context).revoke(std::string(request.param("id")), by(request));
  return ended.ok() ? json_response(Json::object()) : Problem::from(ended).response();
}

}  // namespace

std::optional<Problem> not_everywhere(ApiContext& context, const Request& request) {
  const Status allowed =
      context.deps.gate->check(sender_of(request), identity::kEveryNamespace, Permission::kAdmin);
  if (allowed.ok()) return std::nullopt;
  return Problem::from(allowed).hint("this is for admins of every namespace: {\"*\": [\"admin\"]}");
}

void add_identity_routes(Router& router, ApiContext& context) {
  using enum Permission;
  const auto listing = [&](CredentialKind kind, const char* member) {
    return context.answering(
        [kind, member](ApiContext& c, Request& r) { return list_credentials(c, r, kind, member); });
  };
  const auto revoking = [&](CredentialKind kind) {
    return context.answering([kind](ApiContext& c, Request& r) { return revoke(c, r, kind); });
  };
  router.add("GET", "/api/v1/session", kKnown, context.answering(show_session));
  router.add("POST", "/api/v1/session", kAnyone, context.answering(sign_in));
  router.add("DELETE", "/api/v1/session", kKnown, context.answering(sign_out));
  router.add("POST", "/api/v1/session/password", kKnown, context.answering(change_own_password));
  router.add("POST", "/api/v1/setup", kAnyone, context.answering(set_up));
  router.add("GET", "/api/v1/users", kAdmin, context.answering(list_users));
  router.add("POST", "/api/v1/users", kAdmin, context.answering(add_user));
  router.add("PATCH", "/api/v1/users/{name}", kAdmin, context.answering(change_user));
  router.add("GET", "/api/v1/keys", kKnown, listing(CredentialKind::kKey, "keys"));
  router.add("POST", "/api/v1/keys", kKnown, context.answering(create_key));
  router.add("DELETE", "/api/v1/keys/{id}", kKnown, revoking(CredentialKind::kKey));
  router.add("POST", "/api/v1/keys/{id}/rotate", kKnown, context.answering(rotate_key));
  router.add("GET", "/api/v1/sessions", kKnown, listing(CredentialKind::kSession, "sessions"));
  router.add("DELETE", "/api/v1/sessions/{id}", kKnown, revoking(CredentialKind::kSession));
}

}  // namespace holdfast::http
