#pragma once

// What commands do with a schema that no server has open: look at it, take it forward, and fill it with the
// rows of another database. Any thread; blocks.

#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/tables.h"
#include "platform_postgres/schema.h"
#include "postgres/connection.h"

namespace holdfast::platform {

struct CopiedTable {
  std::string name;
  std::uint64_t rows = 0;
  std::string sha256;  // of all rows, in the order of their keys
};
struct Copied {
  std::string identity;  // of the store that has them now
  std::vector<CopiedTable> tables;
};

// Copies every table in one transaction, reads each back from PostgreSQL and compares number and hash of its
// rows before it commits: all of it is there and as it was, or nothing. A schema that holds these very rows
// already is as good; FAILED_PRECONDITION when it holds others.
Result<Copied> copy_into_postgres(postgres::Connection& connection, TableSource& source, const Clock& clock,
                                  Random& random);

// What an operator should know of the server.
struct PostgresHealth {
  std::string version;
  bool flushes = false;       // fsync
  bool checks_pages = false;  // data_checksums
  double round_trip_ms = 0;
};
Result<PostgresHealth> postgres_health(postgres::Connection& connection, const Clock& clock);

}  // namespace holdfast::platform
