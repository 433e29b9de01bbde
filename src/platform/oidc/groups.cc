#include "oidc/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/json_member.h"
#include "identity/directory.h"

namespace holdfast::oidc {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool is_team_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 &&
         name.find_first_not_of(std::string(kLetters) + "._-") == std::string_view::npos;
}

void add_roles(identity::Roles& into, const identity::Roles& from) {
  const Json json = parse_json<Json>(from.json());
  for (const auto& [where, names] : json.items()) {
    for (const Json& name : names) into.add(where, *identity::role_by_name(name.get<std::string>()));
  }
}

}  // namespace

std::vector<std::string> groups_of(const Json& claims, const std::string& claim) {
  std::vector<std::string> out;
  const auto found = claims.find(claim);
  if (found == claims.end()) return out;
  if (found->is_string()) out.push_back(found->get<std::string>());
  if (!found->is_array()) return out;
  for (const Json& one : *found) {
    if (out.size() == kMaxGroupsOfOne) break;
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

Result<Meaning> meaning_of(const std::vector<std::string>& groups, std::string_view provider,
                           const std::vector<platform::OidcGroup>& mapped) {
  const std::set<std::string_view> in(groups.begin(), groups.end());
  Meaning out;
  std::set<std::string> teams;
  for (const platform::OidcGroup& row : mapped) {
    if (row.provider != provider || !in.contains(row.name)) continue;
    const auto roles = identity::Roles::parse(row.roles);
    const auto names = parse_teams(row.teams);
    if (!roles || !names)
      return fail(Code::kDataLoss, fmt::format("what the group '{}' means here cannot be read", row.name));
    add_roles(out.roles, *roles);
    teams.insert(names->begin(), names->end());
  }
  out.teams.assign(teams.begin(), teams.end());
  return out;
}

Result<std::vector<std::string>> parse_teams(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  const Json json = parse_json<Json>(text);
  const bool fits = json.is_array() && json.size() <= kMaxTeams &&
                    std::all_of(json.begin(), json.end(), [](const Json& one) {
                      return one.is_string() && is_team_name(one.get_ref<const std::string&>());
                    });
  if (!fits) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("teams are a list of at most {} names of 1 to 63 letters, digits or . _ -", kMaxTeams));
  }
  for (const Json& one : json) out.push_back(one.get<std::string>());
  return out;
}

std::string teams_json(const std::vector<std::string>& teams) {
  return dump_json(Json(teams));
}

std::string principal_name(const Json& claims, const std::string& claim, std::string_view provider,
                           int attempt) {
  std::string name = string_member(claims, claim.c_str());
  if (name.empty()) name = string_member(claims, "email");
  if (name.empty()) name = string_member(claims, "sub");
  for (char& c : name) {
    if ((std::string(kLetters) + "._-@+").find(c) == std::string::npos) c = '-';
  }
  const std::string end =
      attempt > 1 ? fmt::format("+{}@{}", attempt, provider) : fmt::format("@{}", provider);
  return name.substr(0, identity::kMaxNameLength - std::min(end.size(), identity::kMaxNameLength)) + end;
}

}  // namespace holdfast::oidc
