#include "app/group_commands.h"

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/role_names.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

std::string path_of(const GroupOptions& options) {
  return "/api/v1/groups/" + percent_encode(options.provider) + "/" + percent_encode(options.group);
}

std::string text(const Json& value) {
  return value.is_string() ? one_line(value.get<std::string>()) : std::string();
}

}  // namespace

int list_groups(const GroupOptions& options) {
  ApiSession api(options.api);
  const auto reply = api.get("/api/v1/groups");
  if (!reply) return reply.error();
  if (options.api.json) {
    print_line(dump_json(*reply));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {{"PROVIDER", "GROUP", "ROLES", "TEAMS", "SET BY"}};
  for (const Json& row : (*reply)["groups"]) {
    rows.push_back({text(row["provider"]), text(row["group"]), one_line(dump_json(row["roles"])),
                    one_line(dump_json(row["teams"])), text(row["set_by"])});
  }
  print_table(std::move(rows));
  return kExitOk;
}

int set_group(const GroupOptions& options) {
  ApiSession api(options.api);
  auto roles = roles_json(api, options.roles);
  if (!roles) return roles.error();
  const auto set = api.change("PUT", path_of(options), {{"roles", *roles}, {"teams", options.teams}}, "*");
  if (!set) return set.error();
  print_line(options.api.json
                 ? dump_json(*set)
                 : fmt::format("{} of {} means {} from its people's next sign-in on", one_line(options.group),
                               one_line(options.provider), one_line(dump_json((*set)["roles"]))));
  return kExitOk;
}

int delete_group(const GroupOptions& options) {
  ApiSession api(options.api);
  const auto reply = api.erase(path_of(options));
  if (!reply) return reply.error();
  print_line(options.api.json ? dump_json(*reply)
                              : fmt::format("{} of {} means nothing any more", one_line(options.group),
                                            one_line(options.provider)));
  return kExitOk;
}

}  // namespace holdfast::app
