#pragma once

// The statement of an SQL tool as PostgreSQL takes it: several statements apart, `:argument`s as $1, $2 and
// so on. Knows what a quote, a comment and a cast are there. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::agent {

struct PostgresStatement {
  std::string sql;
  std::vector<std::string> parameters;  // the argument of $1, of $2, ...
};

// INVALID_ARGUMENT: a statement that would end the transaction which the tool runs in, or leave the session
// different; or a quote that is not closed.
Result<std::vector<PostgresStatement>> read_postgres_script(std::string_view script);

}  // namespace holdfast::agent
