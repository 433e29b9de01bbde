#pragma once

// A batch of pieces (platform/group_commit.h) as one transaction of SQLite. Each piece is atomic by itself: a
// failing one is undone and leaves its neighbours alone. Private to this room.

#include <functional>
#include <string>

#include "holdfast/status.h"
#include "platform/group_commit.h"
#include "sqlite/database.h"

namespace holdfast::platform {

// Gets a message and does not return.
using Fatal = std::function<void(const std::string&)>;

// Commits; a failed sync goes to `fatal` and does not come back.
Status commit_or_stop(sqlite::Database& db, const Fatal& fatal);

void commit_batch(sqlite::Database& db, const Fatal& fatal, GroupCommit<sqlite::Database>::Batch& batch);

}  // namespace holdfast::platform
