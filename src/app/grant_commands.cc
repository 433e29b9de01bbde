#include "app/grant_commands.h"

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

std::string text(const Json& value) {
  return value.is_string() ? one_line(value.get<std::string>()) : std::string();
}

std::string names(const Json& list) {
  std::string out;
  for (const Json& name : list) out += (out.empty() ? "" : ", ") + text(name);
  return out;
}

}  // namespace

int list_grants(const GrantOptions& options) {
  ApiSession api(options.api);
  const auto reply = api.get("/api/v1/grants");
  if (!reply) return reply.error();
  if (options.api.json) {
    print_line(dump_json(*reply));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", "AGENT", "TEAM", "ENVIRONMENT", "MODE", "TOOLS", "SET BY", "SET", "REASON"}};
  for (const Json& row : (*reply)["grants"]) {
    rows.push_back({text(row["id"]), text(row["agent"]), text(row["team"]), text(row["environment"]),
                    text(row["mode"]), names(row["tools"]), text(row["set_by"]), text(row["set_at"]),
                    text(row["reason"])});
  }
  print_table(std::move(rows));
  for (const Json& grant : (*reply)["operator"]) print_line("the operator: " + text(grant));
  return kExitOk;
}

int add_grant(const GrantOptions& options) {
  ApiSession api(options.api);
  Json body = {{"tools", options.tools}, {"mode", options.deny ? "deny" : "allow"}};
  if (options.agent) body["agent"] = *options.agent;
  if (options.team) body["team"] = *options.team;
  if (options.environment) body["environment"] = *options.environment;
  if (options.reason) body["reason"] = *options.reason;
  const auto added = api.post("/api/v1/grants", body);
  if (!added) return added.error();
  print_line(options.api.json ? dump_json(*added)
                              : fmt::format("{}: {} {}", text((*added)["id"]), text((*added)["mode"]),
                                            names((*added)["tools"])));
  return kExitOk;
}

int revoke_grant(const GrantOptions& options) {
  ApiSession api(options.api);
  const auto reply =
      api.erase("/api/v1/grants/" + percent_encode(options.id) + (options.open ? "?open=true" : ""));
  if (!reply) return reply.error();
  print_line(options.api.json ? dump_json(*reply) : fmt::format("revoked {}", one_line(options.id)));
  return kExitOk;
}

}  // namespace holdfast::app
