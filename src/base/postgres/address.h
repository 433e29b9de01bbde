#pragma once

// Address: where a PostgreSQL server is and as whom it is asked, postgres://USER@HOST:PORT/DATABASE. What
// libpq takes as a parameter may follow behind `?`, and `schema`, which is ours. What is not said is taken
// from the PG* variables, as with every program of PostgreSQL.
//
// A password has no place in it: addresses stand in command lines, logs and errors. libpq finds it in
// PGPASSWORD or in a passfile (~/.pgpass, PGPASSFILE). Plain value; any thread.

#include <map>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::postgres {

inline constexpr std::string_view kDefaultSchema = "holdfast";

struct Address {
  std::map<std::string, std::string> parameters{};  // by libpq's keywords
  std::string schema{kDefaultSchema};

  // For people.
  std::string text() const;
};

// INVALID_ARGUMENT, which never repeats what it was given.
Result<Address> parse_address(std::string_view url);

}  // namespace holdfast::postgres
