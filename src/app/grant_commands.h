#pragma once

// holdfast grant: which tools agents of a server are granted.

#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"

namespace holdfast::app {

struct GrantOptions {
  ApiOptions api;
  std::optional<std::string> agent;
  std::optional<std::string> team;
  std::optional<std::string> environment;
  std::vector<std::string> tools;
  bool deny = false;
  std::optional<std::string> reason;
  std::string id;
  bool open = false;
};
int list_grants(const GrantOptions& options);
int add_grant(const GrantOptions& options);
int revoke_grant(const GrantOptions& options);

}  // namespace holdfast::app
