#include "definition/auth_spec.h"

#include <algorithm>

#include <fmt/format.h>

#include "definition/names.h"
#include "definition/value_name.h"

namespace holdfast::agent {

namespace {

constexpr std::size_t kMaxScopes = 64;
constexpr std::size_t kMaxParameters = 16;

std::string variable(spec::MapReader& in, std::string_view key, bool required) {
  std::string name = required ? in.required_text(key) : in.text(key);
  if (!name.empty() && !is_value_name(name)) {
    in.problem(key, "must be the name of an environment variable, not what it holds");
    name.clear();
  }
  return name;
}

bool is_scope(const std::string& scope) {
  return !scope.empty() && std::all_of(scope.begin(), scope.end(),
                                       [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

}  // namespace

const std::string_view kAuthSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["type", "token_url", "client_id_env"],
  "properties": {
    "type": {"enum": ["oauth2_client_credentials", "oauth2_refresh_token"]},
    "token_url": {"type": "string", "pattern": "^https?://"},
    "client_id_env": {"type": "string", "description": "Name of the environment variable that holds the client's id."},
    "client_secret_env": {"type": "string", "description": "Name of the one that holds its secret."},
    "refresh_token_env": {"type": "string", "description": "Name of the one that holds the refresh token."},
    "scopes": {"type": "array", "maxItems": 64, "items": {"type": "string"}},
    "parameters": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Sent with the request for a token: audience, resource."},
    "client_auth": {"enum": ["basic", "post"], "description": "How the secret is sent: as HTTP's basic authentication, or in the body."}
  }
})json";

std::optional<AuthSpec> read_auth(spec::MapReader& parent) {
  if (!parent.has("auth")) {
    parent.child("auth");
    return std::nullopt;
  }
  spec::MapReader in = parent.map("auth");
  AuthSpec out;
  const auto type = in.choice("type", {"oauth2_client_credentials", "oauth2_refresh_token"});
  if (!type && !in.has("type")) in.missing("type", "oauth2_client_credentials or oauth2_refresh_token");
  const bool refreshes = type && *type == 1;
  out.type = refreshes ? AuthSpec::Type::kRefreshToken : AuthSpec::Type::kClientCredentials;
  out.token_url = in.required_text("token_url");
  if (!out.token_url.empty() && !is_http_url(out.token_url))
    in.problem("token_url", "must start with http:// or https://");
  out.client_id_env = variable(in, "client_id_env", true);
  out.client_secret_env = variable(in, "client_secret_env", !refreshes);
  out.refresh_token_env = variable(in, "refresh_token_env", refreshes);
  if (!refreshes && in.has("refresh_token_env"))
    in.problem("refresh_token_env", "belongs to `type: oauth2_refresh_token`; remove it or change `type`");
  for (const YAML::Node& node : in.list("scopes", kMaxScopes)) {
    const std::string scope = node.IsScalar() ? node.Scalar() : "";
    if (is_scope(scope)) {
      out.scopes.push_back(scope);
    } else {
      in.problems().add(node.Mark(), "a scope is one word, such as orders.read");
    }
  }
  for (auto& [name, value] : in.text_map("parameters")) out.parameters[name] = value;
  if (out.parameters.size() > kMaxParameters)
    in.problem("parameters", fmt::format("at most {} are allowed", kMaxParameters));
  out.secret_in_body = in.choice("client_auth", {"basic", "post"}).value_or(0) == 1;
  in.finish();
  return out;
}

nlohmann::json auth_json(const AuthSpec& auth) {
  const bool refreshes = auth.type == AuthSpec::Type::kRefreshToken;
  nlohmann::json out = {{"type", refreshes ? "oauth2_refresh_token" : "oauth2_client_credentials"},
                        {"token_url", auth.token_url},
                        {"client_id_env", auth.client_id_env},
                        {"client_auth", auth.secret_in_body ? "post" : "basic"}};
  if (!auth.client_secret_env.empty()) out["client_secret_env"] = auth.client_secret_env;
  if (refreshes) out["refresh_token_env"] = auth.refresh_token_env;
  if (!auth.scopes.empty()) out["scopes"] = auth.scopes;
  if (!auth.parameters.empty()) out["parameters"] = auth.parameters;
  return out;
}

void add_needs(const AuthSpec& auth, Needs& needs) {
  needs.push_back({.kind = Need::Kind::kHost, .name = {}, .url = auth.token_url});
  for (const std::string& name : {auth.client_id_env, auth.client_secret_env, auth.refresh_token_env}) {
    if (!name.empty()) needs.push_back({.kind = Need::Kind::kVariable, .name = name, .url = auth.token_url});
  }
}

}  // namespace holdfast::agent
