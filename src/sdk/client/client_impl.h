#pragma once

// What client.cc and handle.cc share.

#include <string>

#include "api/messages.h"
#include "client/call.h"
#include "holdfast/client.h"

namespace holdfast {

class Client::Impl {
 public:
  Impl(api::Connection& connection_in, const Environment& environment_in, std::string namespace_in,
       std::string identity_in);

  // Of ordinary calls, retries included.
  static constexpr std::chrono::seconds kTimeout{10};
  static constexpr std::chrono::seconds kLongPollTimeout{70};

  template <typename Response>
  Result<std::unique_ptr<Response>> call(api::Method method, const google::protobuf::Message& request,
                                         Duration timeout = kTimeout) const {
    return client::call<Response>(connection, environment.clock(), method, request,
                                  environment.clock().monotonic() + timeout);
  }
  std::string uuid() const;

  api::Connection& connection;
  Environment environment;
  std::string namespace_name;
  std::string identity;
};

namespace client {

// An update's outcome; empty while it has none.
std::optional<Outcome<Payload>> update_outcome(const pb::update::v1::Outcome& outcome);
WorkflowDescription describe(const pb::workflow::v1::WorkflowExecutionInfo& info);

}  // namespace client
}  // namespace holdfast
