#pragma once

// What is wrong with a file or database itself, as a detail of a Status: whoever answers a request may tell a
// full disk from a bad request. Plain values and functions; any thread.

#include <cstdint>
#include <string>

#include "holdfast/status.h"

namespace holdfast {

enum class StorageFault : std::uint8_t {
  kNone = 0,
  kLocked = 1,    // another process has it open (UNAVAILABLE)
  kReadOnly = 2,  // FAILED_PRECONDITION
  kFull = 3,      // RESOURCE_EXHAUSTED; nothing was written, the call may be repeated
  kCorrupt = 4,   // DATA_LOSS
  kNewer = 5,     // written by a newer version (FAILED_PRECONDITION)
  kIo = 6,        // UNAVAILABLE
};
StorageFault fault_of(const Status& status);

// For whoever keeps things: a status that fault_of() reads.
Status with_fault(Code code, StorageFault fault, std::string message);

}  // namespace holdfast
