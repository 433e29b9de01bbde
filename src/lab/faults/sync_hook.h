#pragma once

// The moments at which bytes of the lossy disks become durable, told to whoever wants to end the process
// there (tests/crash/kill_points.h): before the sync of a file, while a power cut takes what it is about, and
// behind it, while nobody knows of it yet. For tests alone.

#include <string_view>

namespace holdfast::faults {

// On the thread that syncs, with the file's path. `durable`: behind the sync, which went well.
using SyncHook = void (*)(std::string_view file, bool durable);

// Before any file is opened; until then, and for null, nobody is told.
void set_sync_hook(SyncHook hook);

void tell_sync(std::string_view file, bool durable);

}  // namespace holdfast::faults
