#pragma once

// holdfast group: what groups of identity providers mean on a server.

#include <string>
#include <vector>

#include "app/commands.h"

namespace holdfast::app {

struct GroupOptions {
  ApiOptions api;
  std::string provider;
  std::string group;
  std::vector<std::string> roles;  // ROLE or ROLE@NAMESPACE
  std::vector<std::string> teams;
};
int list_groups(const GroupOptions& options);
int set_group(const GroupOptions& options);
int delete_group(const GroupOptions& options);

}  // namespace holdfast::app
