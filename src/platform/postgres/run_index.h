#pragma once

// The platform store's lists and counts in PostgreSQL (platform/run_index.h), over readers of their own: what
// counts a hundred thousand runs takes none from those whom agents wait for. Private to this room.

#include <memory>
#include <vector>

#include "platform/run_index.h"
#include "platform_postgres/session.h"

namespace holdfast::platform {

std::unique_ptr<RunIndex> postgres_run_index(SessionOptions options);

// A page of runs (runs.cc).
Result<std::vector<RunRecord>> list_runs(postgres::Connection& db, const RunFilter& filter,
                                         const TimeRange& range);

}  // namespace holdfast::platform
