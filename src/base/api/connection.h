#pragma once

// Connection: the one interface through which clients and workers reach an engine, and the seam between the
// two halves of the product. `engine` implements it in process (messages are moved, never serialised); `rpc`
// implements it over gRPC, towards our own server or a Temporal cluster; `rpc` also serves any Connection to
// the network.
//
// Asynchronous: start() never blocks. The completion runs exactly once, on the executor named in the call's
// options (inline on the implementation's own thread when none is named: then it must be short and must not
// block).

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <google/protobuf/message.h>

#include "api/method.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast {
class HeldMemory;
}

namespace holdfast::api {

using Message = google::protobuf::Message;
using MessagePtr = std::unique_ptr<Message>;

struct CallOptions {
  // Absolute. Long polls end with an empty response a little before it, as Temporal's do. None: the
  // implementation's default (10 s; 70 s for long polls).
  std::optional<MonotonicTime> deadline{};
  // Where the completion runs; not owned, must outlive the call.
  Executor* executor = nullptr;
  // What the peer calls itself (gRPC metadata client-name, client-version); decides on details such as
  // whether transient events are shown in histories.
  std::string client_name = "holdfast";
  std::string client_version = "0.1.0";
  // The peer lives in this process and touches nothing outside it before its next call on this connection. A
  // workflow task may then be handed over before its cause is durable (law 3): if the process dies, both are
  // gone. Set only by the in-process worker; ignored over gRPC.
  bool in_process_workflow_worker = false;
  // The request was read from the wire, so its fields are checked (request_check.h) and its bytes counted.
  // Set only by the gRPC server.
  bool from_wire = false;
  // What the call holds of its server's memory. A large reply is taken from it before it is made, and refused
  // when there is not enough. The caller's; valid, and the implementation's alone, until the completion runs.
  // None: nothing is counted.
  HeldMemory* memory = nullptr;
};

// Ends a call early: its completion runs with kCancelled, unless it already ran. Destroying the handle does
// not cancel.
class CallHandle {
 public:
  virtual ~CallHandle() = default;
  virtual void cancel() = 0;
  // The completion brought this answer, and nobody is there to take it: tasks that it hands over go to others
  // at once. At most once. Where the connection only passes answers on, nothing happens: the engine behind it
  // waits for the task's timeout.
  virtual void undelivered(MessagePtr /*answer*/) {}
};

using Completion = std::move_only_function<void(Result<MessagePtr>)>;

class Connection {
 public:
  virtual ~Connection() = default;

  // `request` has the request type of `method`, a success the response type. May return null when the call
  // ended already. Thread-safe.
  virtual std::shared_ptr<CallHandle> start(Method method, MessagePtr request, CallOptions options,
                                            Completion done) = 0;
};

}  // namespace holdfast::api
