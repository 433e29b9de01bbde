#pragma once

// A WorkflowService call that waits for its answer: the oracle's threads do one thing at a time.

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "api/connection.h"
#include "api/messages.h"

namespace holdfast::crash {

template <typename Response>
Result<std::unique_ptr<Response>> call(api::Connection& connection, api::Method method,
                                       api::MessagePtr request, std::chrono::milliseconds timeout) {
  auto promise = std::make_shared<std::promise<Result<api::MessagePtr>>>();
  auto answer = promise->get_future();
  api::CallOptions options;
  options.deadline = std::chrono::steady_clock::now() + timeout;
  // Histories without transient events, which are no promise.
  options.client_name = "temporal-cli";
  options.client_version = "1.0.0";
  connection.start(method, std::move(request), std::move(options),
                   [promise](Result<api::MessagePtr> result) { promise->set_value(std::move(result)); });
  Result<api::MessagePtr> result = answer.get();
  if (!result) return fail(result.error());
  return std::unique_ptr<Response>(static_cast<Response*>(result->release()));
}

// The server is away or busy: whether the request was taken is unknown, it has to be repeated.
inline bool is_unknown_outcome(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kCancelled:
    case Code::kUnknown:
    case Code::kResourceExhausted: return true;
    default: return false;
  }
}

}  // namespace holdfast::crash
