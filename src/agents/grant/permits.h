#pragma once

// Permits: what one definition may use of the machine. The one door: a variable's value, a key, a database's
// path and the reach of a request come from here and from nowhere else, each time they are used, so what is
// not granted (any more) is not there. A refusal is PERMISSION_DENIED and names the grant
// (net::missing_grants); it never tells the value of a variable.
//
// Immutable; any thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/tool_type.h"
#include "grant/grant.h"
#include "grant/secret_source.h"
#include "holdfast/status.h"
#include "net/reach.h"

namespace holdfast::grant {

// getenv in the product.
using Environment = const char* (*)(const char* name);

// What of the machine is this server's own.
struct Own {
  std::vector<std::uint16_t> ports;          // where it listens; granted by port only
  std::vector<std::filesystem::path> paths;  // its stores; nothing grants them
};

class Permits {
 public:
  Permits(std::vector<Grant> grants, Own own, Environment environment, SecretSource* secrets = nullptr);

  // Whether a definition that names this may be put. What a variable holds, or that it is not set, is no
  // reason against it: that is seen at use.
  Status check(const agent::Need& need) const;

  // ---- at use. FAILED_PRECONDITION: the variable is not set. A name is a variable's, or secret:NAME.

  // For a header of a request to `url`; empty: kept, and granted without a host.
  Result<std::string> variable(const std::string& name, std::string_view url) const;
  // For a model at `url`.
  Result<std::string> key(const std::string& name, std::string_view url) const;
  // The file that the path of a definition means, all links followed.
  Result<std::filesystem::path> database(const std::string& path, bool writes) const;
  // The address of PostgreSQL that a definition names, filled; it is granted as it is written there. None: it
  // is no such address, but a path.
  Result<std::optional<std::string>> postgres(const std::string& database, bool writes) const;
  // For the environment of a program.
  Result<std::string> program_variable(const std::string& name) const;
  // Whether the program may be started with these arguments.
  Status command(const std::vector<std::string>& words) const;
  std::shared_ptr<const net::Reach> reach() const { return reach_; }

 private:
  Status may_send(Grant::Kind kind, const std::string& name, std::string_view url) const;
  Status may_name(const std::string& variable) const;
  Status may_start(const std::string& command) const;
  Result<std::string> value(const std::string& name) const;
  bool covers(const Grant& grant, const std::filesystem::path& file) const;
  bool is_granted_as_written(const std::string& database, bool writes) const;

  const std::vector<Grant> grants_;
  const Own own_;
  const Environment environment_;
  std::shared_ptr<const net::Reach> reach_;
  SecretSource* const secrets_;
};

}  // namespace holdfast::grant
