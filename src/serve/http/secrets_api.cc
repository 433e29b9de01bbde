// /api/v1/secrets: named secrets, which go in and do not come out.

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "http/api_context.h"
#include "secrets/vault.h"

namespace holdfast::http {

namespace {

// In base64 a value is a third longer; room for its padding and line breaks.
constexpr std::size_t kMaxBase64Bytes = 2 * secrets::kMaxSecretBytes;

Json secret_json(const secrets::SecretInfo& secret) {
  return {{"name", secret.row.name},
          {"version", secret.row.version},
          {"set_by", secret.row.set_by},
          {"set_at", iso_time(secret.row.set_at)},
          {"used_at", secret.row.used_at ? Json(iso_time(*secret.row.used_at)) : Json(nullptr)},
          {"readable", secret.readable}};
}

// Either alphabet, with padding and line breaks or without.
std::optional<std::string> from_any_base64(std::string text) {
  std::erase_if(text, [](char c) { return c == '=' || c == '\n' || c == '\r'; });
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return from_base64url(text);
}

std::expected<std::string, Problem> value_of(const Json& body) {
  if (body.contains("value") == body.contains("value_base64")) {
    return std::unexpected(
        Problem(400, "invalid_field", "give 'value', a text, or 'value_base64', any bytes"));
  }
  if (body.contains("value")) return string_member(body, "value", secrets::kMaxSecretBytes);
  auto text = string_member(body, "value_base64", kMaxBase64Bytes);
  if (!text) return text;
  auto value = from_any_base64(*std::move(text));
  if (value) return *std::move(value);
  return std::unexpected(Problem(400, "invalid_field", "'value_base64' is not base64"));
}

Response list_secrets(ApiContext& context, Request&) {
  const auto all = context.deps.vault->list();
  if (!all) return Problem::from(all.error()).response();
  Json rows = Json::array();
  for (const secrets::SecretInfo& secret : *all) rows.push_back(secret_json(secret));
  return json_response({{"secrets", std::move(rows)}});
}

Response set_secret(ApiContext& context, Request& request) {
  auto body = json_body(request, {"value", "value_base64"});
  if (!body) return body.error().response();
  auto value = value_of(*body);
  if (!value) return value.error().response();
  const std::string name(request.param("name"));
  const auto set = context.deps.vault->set(name, *value, actor_of(request, identity::kLocalName));
  if (!set) return Problem::from(set.error()).response();
  return json_response(secret_json(*set), set->row.version == 1 ? 201 : 200);
}

Response delete_secret(ApiContext& context, Request& request) {
  const Status deleted =
      context.deps.vault->erase(std::string(request.param("name")), actor_of(request, identity::kLocalName));
  return deleted.ok() ? json_response(Json::object()) : Problem::from(deleted).response();
}

}  // namespace

void add_secret_routes(Router& router, ApiContext& context) {
  using enum Permission;
  router.add("GET", "/api/v1/secrets", kDeploy, context.answering(list_secrets));
  router.add("PUT", "/api/v1/secrets/{name}", kAdmin, context.answering(set_secret));
  router.add("DELETE", "/api/v1/secrets/{name}", kAdmin, context.answering(delete_secret));
}

}  // namespace holdfast::http
