#include "identity/roles.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::identity {

namespace {

using Json = nlohmann::json;

struct Row {
  Role role;
  std::string_view name;
};
constexpr std::array<Row, kRoles> kNames = {{{Role::kReader, "reader"},
                                             {Role::kOperator, "operator"},
                                             {Role::kApprover, "approver"},
                                             {Role::kDeployer, "deployer"},
                                             {Role::kAdmin, "admin"}}};

constexpr std::uint8_t bit(Role role) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
}

}  // namespace

std::string_view role_name(Role role) {
  return kNames[static_cast<std::size_t>(role)].name;
}

std::optional<Role> role_by_name(std::string_view name) {
  for (const Row& row : kNames) {
    if (row.name == name) return row.role;
  }
  return std::nullopt;
}

std::string_view permission_name(Permission permission) {
  switch (permission) {
    case Permission::kAnyone: return "anyone";
    case Permission::kKnown: return "known";
    case Permission::kRead: return "read";
    case Permission::kRun: return "run";
    case Permission::kDecide: return "decide";
    case Permission::kDeploy: return "deploy";
    case Permission::kWork: return "work";
    case Permission::kAdmin: return "admin";
  }
  return "";
}

bool may(Role role, Permission permission) {
  switch (permission) {
    case Permission::kAnyone:
    case Permission::kKnown:
    case Permission::kRead: return true;
    case Permission::kRun: return role == Role::kOperator || role == Role::kAdmin;
    case Permission::kDecide: return role == Role::kApprover || role == Role::kAdmin;
    case Permission::kDeploy:
    case Permission::kWork: return role == Role::kDeployer || role == Role::kAdmin;
    case Permission::kAdmin: return role == Role::kAdmin;
  }
  return false;
}

Result<Roles> Roles::parse(std::string_view text) {
  Roles out;
  if (text.empty()) return out;
  const Json json = parse_json<Json>(text);
  if (!json.is_object()) {
    return fail(Code::kInvalidArgument,
                R"(roles are {"NAMESPACE": ["reader", ...]}, "*" for every namespace)");
  }
  if (json.size() > kMaxNamespaces) {
    return fail(Code::kInvalidArgument,
                fmt::format("roles in {} namespaces; at most {}", json.size(), kMaxNamespaces));
  }
  for (const auto& [namespace_name, names] : json.items()) {
    if (namespace_name.empty() || !names.is_array()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("the roles in namespace '{}' are a list of names", namespace_name));
    }
    for (const Json& name : names) {
      const auto role = name.is_string() ? role_by_name(name.get_ref<const std::string&>()) : std::nullopt;
      if (!role) {
        return fail(Code::kInvalidArgument,
                    fmt::format("{} is no role: reader, operator, approver, deployer or admin",
                                dump_json(name).substr(0, 100)));
      }
      out.add(namespace_name, *role);
    }
  }
  return out;
}

Roles Roles::all() {
  Roles out;
  out.add(std::string(kEveryNamespace), Role::kAdmin);
  return out;
}

std::string Roles::json() const {
  Json out = Json::object();
  for (const auto& [namespace_name, set] : by_namespace_) {
    for (const Row& row : kNames) {
      if ((set & bit(row.role)) != 0) out[namespace_name].push_back(row.name);
    }
  }
  return dump_json(out);
}

void Roles::add(const std::string& namespace_name, Role role) {
  by_namespace_[namespace_name] |= bit(role);
}

bool Roles::has(std::string_view namespace_name, Role role) const {
  for (std::string_view where : {namespace_name, kEveryNamespace}) {
    const auto found = by_namespace_.find(where);
    if (found != by_namespace_.end() && (found->second & bit(role)) != 0) return true;
  }
  return false;
}

bool Roles::may(std::string_view namespace_name, Permission permission) const {
  if (permission == Permission::kAnyone || permission == Permission::kKnown) return true;
  for (std::string_view where : {namespace_name, kEveryNamespace}) {
    const auto found = by_namespace_.find(where);
    if (found == by_namespace_.end()) continue;
    for (const Row& row : kNames) {
      if ((found->second & bit(row.role)) != 0 && identity::may(row.role, permission)) return true;
    }
  }
  return false;
}

}  // namespace holdfast::identity
