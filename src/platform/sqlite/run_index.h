#pragma once

// The platform store's lists and counts in SQLite (platform/run_index.h), over readers of their own: what
// counts a hundred thousand runs takes none from those whom agents wait for. Private to this room.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/run_index.h"
#include "sqlite/database.h"

namespace holdfast::platform {

// `complain` hears of damaged rows that lists leave out.
std::unique_ptr<RunIndex> sqlite_run_index(std::filesystem::path path, std::string vfs,
                                           std::function<void(const std::string&)> complain);

// A page of runs (runs.cc).
Result<std::vector<RunRecord>> list_runs(sqlite::Database& db, const RunFilter& filter,
                                         const TimeRange& range);

}  // namespace holdfast::platform
