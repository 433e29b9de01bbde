#pragma once

// The tables of the platform store in a schema of PostgreSQL, as numbered steps that only go forward. A step
// that has landed is never edited; the table `migrations` says which were taken, when, and the SHA-256 of
// their text. docs/formats/platform-store.md.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "postgres/connection.h"

namespace holdfast::platform {

struct Migration {
  std::int64_t version = 0;  // from 1, without gaps
  std::string_view what;
  std::string_view sql;
};
std::span<const Migration> migrations();

struct SchemaState {
  std::int64_t version = 0;        // 0: there is none yet
  std::vector<Migration> pending;  // what is missing, in order
};
// FAILED_PRECONDITION: of a newer version (kNewer), or a schema of something else. DATA_LOSS: a step was not
// the one that this program knows.
Result<SchemaState> inspect_schema(postgres::Connection& connection,
                                   std::span<const Migration> known = migrations());
// Takes the missing steps, each in a transaction of its own, and makes the schema when there is none.
// UNAVAILABLE (kLocked) while a server runs on it.
Status migrate_schema(postgres::Connection& connection, const Clock& clock, Random& random,
                      std::span<const Migration> known = migrations());

}  // namespace holdfast::platform
