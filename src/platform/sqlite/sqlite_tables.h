#pragma once

// The rows of a platform store in SQLite, for a copy into another database. Whoever reads has the store open
// (sqlite_store.h) and writes nothing meanwhile, so that all tables are of one moment.

#include <filesystem>
#include <memory>

#include "holdfast/status.h"
#include "platform/tables.h"

namespace holdfast::platform {

Result<std::unique_ptr<TableSource>> open_sqlite_tables(const std::filesystem::path& directory);

}  // namespace holdfast::platform
