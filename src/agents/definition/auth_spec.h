#pragma once

// The section `auth` of what calls a server: how a token is got for it. Values and pure functions.
//
//   auth:
//     type: oauth2_client_credentials          # or oauth2_refresh_token
//     token_url: https://login.example.com/oauth2/token
//     client_id_env: SHOP_CLIENT_ID            # names of variables, never what they hold
//     client_secret_env: SHOP_CLIENT_SECRET
//     scopes: [orders.read]

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "definition/need.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

struct AuthSpec {
  enum class Type : std::uint8_t { kClientCredentials, kRefreshToken };
  Type type = Type::kClientCredentials;
  std::string token_url;
  std::string client_id_env;
  std::string client_secret_env;  // kRefreshToken: may be empty, of a public client
  std::string refresh_token_env;  // kRefreshToken
  std::vector<std::string> scopes;
  std::map<std::string, std::string> parameters;  // sent besides: audience, resource
  bool secret_in_body = false;                    // client_secret_post instead of client_secret_basic
};

// `auth` of this mapping; none when it is not there, or broken, which `parent` then knows.
std::optional<AuthSpec> read_auth(spec::MapReader& parent);
nlohmann::json auth_json(const AuthSpec& auth);
// JSON Schema of the section.
extern const std::string_view kAuthSchema;
// What getting a token uses of the machine.
void add_needs(const AuthSpec& auth, Needs& needs);

}  // namespace holdfast::agent
