#pragma once

// What reading from the wire does for those who call from this process: every string field must be UTF-8.
// Protobuf writes one that is not and cannot read it back, so without this a worker's careless text would
// make a history unreadable.

#include <google/protobuf/message.h>

#include "holdfast/status.h"

namespace holdfast::api {

// INVALID_ARGUMENT names the first field that is not UTF-8.
Status check_text(const google::protobuf::Message& message);

}  // namespace holdfast::api
