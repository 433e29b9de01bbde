// user, key, session: who may use a server.

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/hidden_input.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/role_names.h"
#include "base/json.h"
#include "base/url.h"
#include "spec/duration.h"

namespace holdfast::app {

namespace {

std::string text(const Json& value) {
  return value.is_string() ? one_line(value.get<std::string>()) : std::string();
}

int print(const ApiSession::Reply& reply, bool json, const std::string& words) {
  if (!reply) return reply.error();
  print_line(json ? dump_json(*reply) : words);
  return kExitOk;
}

// From a file, or from the terminal without showing it. The last line break is not part of it.
std::expected<std::string, int> read_password(const std::optional<std::string>& file) {
  std::string out;
  if (file) {
    auto read = read_file(*file);
    if (!read) return std::unexpected(refuse(read.error()));
    out = *std::move(read);
  } else {
    out = read_hidden_line("Password: ");
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  if (!out.empty()) return out;
  report_error("usage", "the password is empty", "give it on standard input or with --password-file");
  return std::unexpected(kExitUsage);
}

std::string user_path(const std::string& name) {
  return "/api/v1/users/" + percent_encode(name);
}

std::expected<std::optional<std::int64_t>, int> seconds(const std::optional<std::string>& text,
                                                        const char* flag) {
  if (!text) return std::optional<std::int64_t>();
  const auto duration = spec::parse_duration(*text);
  if (duration) return std::optional(std::chrono::duration_cast<std::chrono::seconds>(*duration).count());
  report_error("usage", fmt::format("{}: '{}' is no duration", flag, *text), "as in 90d, 12h or 30m");
  return std::unexpected(kExitUsage);
}

int print_key(const ApiSession::Reply& made, bool json) {
  if (!made) return made.error();
  if (json) {
    print_line(dump_json(*made));
    return kExitOk;
  }
  print_progress(
      fmt::format("key {} of {}; it is shown this once:\n", text((*made)["id"]), text((*made)["principal"])));
  print_line(text((*made)["key"]));
  return kExitOk;
}

// The times of a credential, in a table.
std::vector<std::string> times(const Json& row) {
  return {text(row["created_at"]), text(row["used_at"]),
          row["revoked_at"].is_string() ? "revoked " + text(row["revoked_at"]) : text(row["expires_at"])};
}

int print_credentials(const ApiSession::Reply& reply, const char* member, bool json) {
  if (!reply) return reply.error();
  if (json) {
    print_line(dump_json(*reply));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", "PRINCIPAL", "LABEL", "CREATED", "USED", "HOLDS UNTIL"}};
  for (const Json& row : (*reply)[member]) {
    std::vector<std::string> line = {text(row["id"]), text(row["principal"]), text(row["label"])};
    for (std::string& time : times(row)) line.push_back(std::move(time));
    rows.push_back(std::move(line));
  }
  print_table(std::move(rows));
  return kExitOk;
}

}  // namespace

int add_user(const UserOptions& options) {
  ApiSession api(options.api);
  auto roles = roles_json(api, options.roles);
  if (!roles) return roles.error();
  auto password = read_password(options.password_file);
  if (!password) return password.error();
  const auto added =
      api.post("/api/v1/users", {{"name", options.name}, {"password", *password}, {"roles", *roles}});
  return print(added, options.api.json, fmt::format("added {}", one_line(options.name)));
}

int list_users(const UserOptions& options) {
  ApiSession api(options.api);
  const auto reply = api.get("/api/v1/users");
  if (!reply) return reply.error();
  if (options.api.json) {
    print_line(dump_json(*reply));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "KIND", "ROLES", ""}};
  for (const Json& row : (*reply)["users"]) {
    rows.push_back({text(row["name"]), text(row["kind"]), one_line(dump_json(row["roles"])),
                    row.value("disabled", false) ? "disabled" : ""});
  }
  print_table(std::move(rows));
  return kExitOk;
}

int disable_user(const UserOptions& options) {
  ApiSession api(options.api);
  const auto changed = api.change("PATCH", user_path(options.name), {{"disabled", !options.enable}}, "*");
  return print(changed, options.api.json,
               fmt::format("{} {}", options.enable ? "enabled" : "disabled", one_line(options.name)));
}

int set_user_roles(const UserOptions& options) {
  ApiSession api(options.api);
  auto roles = roles_json(api, options.roles);
  if (!roles) return roles.error();
  const auto changed = api.change("PATCH", user_path(options.name), {{"roles", *roles}}, "*");
  return print(changed, options.api.json, fmt::format("{} has these roles now", one_line(options.name)));
}

int set_user_password(const UserOptions& options) {
  ApiSession api(options.api);
  auto password = read_password(options.password_file);
  if (!password) return password.error();
  const auto changed = api.change("PATCH", user_path(options.name), {{"password", *password}}, "*");
  return print(changed, options.api.json, fmt::format("{} has another password now", one_line(options.name)));
}

int create_key(const KeyOptions& options) {
  auto lasts = seconds(options.lasts, "--expires");
  if (!lasts) return lasts.error();
  ApiSession api(options.api);
  Json body = {{"principal", options.principal}, {"label", options.label}};
  if (*lasts) body["expires_in"] = **lasts;
  if (!options.roles.empty()) {
    auto roles = roles_json(api, options.roles);
    if (!roles) return roles.error();
    body["roles"] = *roles;
  }
  return print_key(api.post("/api/v1/keys", body), options.api.json);
}

int list_keys(const KeyOptions& options) {
  ApiSession api(options.api);
  return print_credentials(api.get("/api/v1/keys"), "keys", options.api.json);
}

int revoke_key(const KeyOptions& options) {
  ApiSession api(options.api);
  return print(api.erase("/api/v1/keys/" + percent_encode(options.id)), options.api.json,
               fmt::format("revoked {}", one_line(options.id)));
}

int rotate_key(const KeyOptions& options) {
  auto grace = seconds(options.grace, "--grace");
  if (!grace) return grace.error();
  ApiSession api(options.api);
  return print_key(
      api.post("/api/v1/keys/" + percent_encode(options.id) + "/rotate", {{"grace", grace->value_or(0)}}),
      options.api.json);
}

int list_sessions(const SessionsOptions& options) {
  ApiSession api(options.api);
  return print_credentials(api.get("/api/v1/sessions"), "sessions", options.api.json);
}

int revoke_session(const SessionsOptions& options) {
  ApiSession api(options.api);
  return print(api.erase("/api/v1/sessions/" + percent_encode(options.id)), options.api.json,
               fmt::format("ended {}", one_line(options.id)));
}

int who_am_i(const SessionsOptions& options) {
  ApiSession api(options.api);
  const auto me = api.get("/api/v1/session");
  if (!me) return me.error();
  return print(me, options.api.json,
               fmt::format("{} ({}): {}", text((*me)["principal"]), text((*me)["kind"]),
                           one_line(dump_json((*me)["roles"]))));
}

}  // namespace holdfast::app
