#pragma once

// Blocking calls on a Connection, with the retries that Temporal's clients make.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "api/connection.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::client {

// The message was refused for its size by one of the two ends: it never gets through, however often it is
// sent.
bool is_too_large(const Status& error);
// Worth repeating: the server was not reached, or was too busy.
bool is_transient(const Status& error);

// Whether transient failures are repeated, with growing pauses, until the deadline.
enum class Repeats : bool { kNo, kYes };

// Waits for the answer.
Result<api::MessagePtr> call_raw(api::Connection& connection, const Clock& clock, api::Method method,
                                 const google::protobuf::Message& request, MonotonicTime deadline,
                                 Repeats repeats = Repeats::kYes);

template <typename Response>
Result<std::unique_ptr<Response>> call(api::Connection& connection, const Clock& clock, api::Method method,
                                       const google::protobuf::Message& request, MonotonicTime deadline,
                                       Repeats repeats = Repeats::kYes) {
  auto answer = call_raw(connection, clock, method, request, deadline, repeats);
  if (!answer) return fail(answer.error());
  return std::unique_ptr<Response>(static_cast<Response*>(answer->release()));
}

}  // namespace holdfast::client
