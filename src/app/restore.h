#pragma once

// Makes a data directory of a backup. Every file is compared with the manifest on its way, the stores get an
// identity of their own (docs/adr/0035), and the directory's marker comes last: killed before that, it is a
// folder that no server starts on. Main thread.

#include <filesystem>

#include "archive/manifest.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::app {

// `target` is new or empty, and not in the backup. Without success nothing of it stays.
Result<archive::Manifest> restore_backup(const std::filesystem::path& backup,
                                         const std::filesystem::path& target, const Clock& clock,
                                         Random& random);

}  // namespace holdfast::app
