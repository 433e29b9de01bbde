#pragma once

// One grant, as the operator writes it:
//
//   host:HOST[:PORT][/CLASS]     requests to this host; CLASS: what kind of address it may have (net/reach.h)
//   key:NAME@HOST[:PORT]         the variable NAME as a model's key, sent to this host and no other
//   env:NAME@HOST[:PORT]         the variable NAME in headers of requests to this host
//   env:NAME                     the variable NAME wherever a definition names it
//   secret:NAME[@HOST[:PORT]]    the same of a stored secret; as a model's key: key:secret:NAME@HOST[:PORT]
//   database:PATH                reading this SQLite file; with a / at the end, each file below
//   database.write:PATH          reading and writing it
//   command:["/PROGRAM","ARG"]   starting this program with these arguments; command:/PROGRAM: with none
//
//   database:postgres://...       the same of a database of PostgreSQL, written as the definition writes it
//   activity:NAME@QUEUE           scheduling activities of this type on this task queue; NAME *: all of them
//
// A key, or a variable bound to a host, grants that host too. Without a port it is sent over https only. PATH
// is absolute, or what the definition says, ${NAME}s and all. Plain values; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "net/reach.h"

namespace holdfast::grant {

struct Grant {
  enum class Kind : std::uint8_t { kHost, kKey, kVariable, kDatabase, kActivity, kCommand };
  Kind kind = Kind::kHost;
  std::string
      name;  // of the variable, or secret:NAME; the path; NAME@QUEUE; the command line (agent::command_text)
  std::optional<net::HostRule> host;  // kVariable: none, everywhere
  bool writes = false;                // kDatabase
  std::string written;                // by the operator
};

// INVALID_ARGUMENT says what is wrong and how a grant is written.
Result<Grant> parse_grant(std::string_view text);
// As it was written, without the password of a database's address.
std::string shown(const Grant& grant);

}  // namespace holdfast::grant
