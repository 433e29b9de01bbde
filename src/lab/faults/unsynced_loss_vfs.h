#pragma once

// The same for SQLite (see unsynced_loss_fs.h): a VFS that keeps written pages and truncations in the process
// until xSync. A SIGKILL then loses what a power cut would lose. Names are real at once; SQLite in WAL mode
// makes and deletes its files only at open and close. Memory mapping is off; the shared-memory index of WAL
// mode stays real, as it is rebuilt after every crash.

namespace holdfast::faults {

// Registers the VFS, once per process, and returns its name for sqlite3_open_v2. Thread-safe.
const char* register_unsynced_loss_vfs();

}  // namespace holdfast::faults
