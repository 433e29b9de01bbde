#pragma once

// What reading from the wire does for those who call from this process: every string field must be UTF-8,
// and no field longer than its bound (field_bounds.h). Protobuf writes a string that is not UTF-8 and cannot
// read it back, so without this a worker's careless text would make a history unreadable. Thread-safe.

#include <google/protobuf/message.h>

#include "holdfast/status.h"

namespace holdfast::api {

// INVALID_ARGUMENT names the first field that is wrong.
Status check_request(const google::protobuf::Message& message);

}  // namespace holdfast::api
