#pragma once

// Where large payloads are in calls: which parts of a request may stand outside the history, and in which
// parts of an answer their places (history/payload_slot.h) may come back. Pure.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/connection.h"
#include "api/messages.h"
#include "history/limits.h"

namespace holdfast::engine {

// From this size on a payload's data is kept outside its history.
inline constexpr std::size_t kLargePayload = 128 << 10;
// And in pieces of this size (durable format): what a commit of others waits for is the writing of one.
inline constexpr std::size_t kPieceBytes = 256 << 10;

bool may_carry_large(api::Method method);
// The lists of payloads of the request that belong into events as they are. What is over a limit is left out:
// the handlers refuse it.
std::vector<pb::common::v1::Payloads*> lists_to_stage(api::Method method, api::Message* request,
                                                      const history::Limits& limits);

// The lists of an answer in which places of large payloads may stand.
std::vector<pb::common::v1::Payloads*> lists_to_fill(api::Message* answer);
// By how much the answer grows when they are filled.
std::int64_t bytes_to_fill(const api::Message& answer);

}  // namespace holdfast::engine
