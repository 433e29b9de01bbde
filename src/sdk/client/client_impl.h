#pragma once

// What client.cc and handle.cc share.

#include <memory>
#include <mutex>
#include <string>

#include "api/messages.h"
#include "client/async_calls.h"
#include "client/call.h"
#include "holdfast/client.h"

namespace holdfast {

class Client::Impl {
 public:
  Impl(Connection server_in, const ClientOptions& options);

  // Of ordinary calls, retries included.
  static constexpr std::chrono::seconds kTimeout{10};
  static constexpr std::chrono::seconds kLongPollTimeout{70};

  template <typename Response>
  Result<std::unique_ptr<Response>> call(api::Method method, const google::protobuf::Message& request,
                                         Duration timeout = kTimeout) const {
    return client::call<Response>(connection, environment.clock(), method, request,
                                  environment.clock().monotonic() + timeout, repeats);
  }
  // `done` gets the response, or why there is none, on the callbacks' executor.
  template <typename Response, typename Done>
  void call_async(api::Method method, api::MessagePtr request, Duration timeout, Done done) const {
    calls().start(method, std::move(request), environment.clock().monotonic() + timeout,
                  [done = std::move(done)](Result<api::MessagePtr> answer) mutable {
                    if (!answer) return done(Result<const Response*>(fail(answer.error())));
                    done(Result<const Response*>(static_cast<const Response*>(answer->get())));
                  });
  }
  std::string uuid() const;

  Connection server;  // first: what is below uses it until its own end
  api::Connection& connection;
  const Environment& environment;
  std::string namespace_name;
  std::string identity;
  client::Repeats repeats;

 private:
  friend class Client;
  // Made with the first call that needs it, and its thread with it.
  client::AsyncCalls& calls() const;

  Executor* callbacks_;
  mutable std::once_flag calls_made_;
  mutable std::unique_ptr<Executor> own_callbacks_;
  mutable std::unique_ptr<client::AsyncCalls> calls_;
};

namespace client {

// An update's outcome; empty while it has none.
std::optional<Outcome<Payload>> update_outcome(const pb::update::v1::Outcome& outcome);
PendingActivity pending_activity(const pb::workflow::v1::PendingActivityInfo& info);
WorkflowDescription describe(const pb::workflow::v1::WorkflowExecutionInfo& info);

}  // namespace client
}  // namespace holdfast
