#pragma once

// holdfast audit: the record of a server, as lines of JSON.

#include <optional>
#include <string>

#include "app/commands.h"

namespace holdfast::app {

struct AuditOptions {
  ApiOptions api;
  std::optional<std::string> from;
  std::optional<std::string> until;
  std::optional<std::string> principal;
  std::optional<std::string> kind;
  std::optional<std::string> subject;
  std::optional<std::string> cursor;
  bool messages = false;
};
int export_audit(const AuditOptions& options);

}  // namespace holdfast::app
