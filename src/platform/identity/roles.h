#pragma once

// Roles and what they may. A principal has roles per namespace; a route of the API and a method of gRPC each
// name one permission. Pure.
//
//              kRead  kRun  kDecide  kDeploy  kWork  kAdmin
//   reader       x
//   operator     x      x
//   approver     x              x
//   deployer     x                      x        x
//   admin        x      x       x       x        x      x

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::identity {

enum class Role : std::uint8_t { kReader, kOperator, kApprover, kDeployer, kAdmin };
inline constexpr std::size_t kRoles = 5;

enum class Permission : std::uint8_t {
  kAnyone,  // also without a credential: what says nothing about anybody's data
  kKnown,   // whoever has a credential, whatever the roles
  kRead,    // look at runs, histories, definitions, usage
  kRun,     // start, signal, steer, stop; schedules and budgets
  kDecide,  // answer approvals
  kDeploy,  // definitions and labels
  kWork,    // take tasks and answer them, as a worker does
  kAdmin,   // principals, keys, namespaces, search attributes; erase
};

inline constexpr std::string_view kEveryNamespace = "*";
inline constexpr std::size_t kMaxNamespaces = 1000;  // that one principal has roles in

std::string_view role_name(Role role);
std::optional<Role> role_by_name(std::string_view name);
std::string_view permission_name(Permission permission);
bool may(Role role, Permission permission);

class Roles {
 public:
  // {"default": ["reader", "approver"], "*": ["reader"]}. INVALID_ARGUMENT names what is no role.
  static Result<Roles> parse(std::string_view json);
  static Roles all();
  std::string json() const;

  void add(const std::string& namespace_name, Role role);
  bool empty() const { return by_namespace_.empty(); }
  // kAnyone and kKnown need no role.
  bool may(std::string_view namespace_name, Permission permission) const;
  // There, or in every namespace.
  bool has(std::string_view namespace_name, Role role) const;
  // In every namespace: whoever may do that to others' roles.
  bool is_admin() const { return may(kEveryNamespace, Permission::kAdmin); }

 private:
  using Set = std::uint8_t;  // a bit a role
  std::map<std::string, Set, std::less<>> by_namespace_;
};

}  // namespace holdfast::identity
