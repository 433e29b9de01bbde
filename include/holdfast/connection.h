#pragma once

// Connection: the server that clients and workers talk to, with the clock, randomness and threads they use.
// Made by connect() (holdfast/connect.h), or of an engine that the program holds itself.
//
// A value, cheap to copy; copies share one connection, which is closed when the last of them goes. Clients
// and workers keep a copy, so the order in which a program ends them does not matter. Thread-safe. The last
// copy must not be destroyed by one of the connection's own callbacks.

#include <memory>
#include <string>
#include <utility>

#include "holdfast/environment.h"
#include "holdfast/public.h"
#include "holdfast/status.h"

namespace holdfast::api {
class Connection;
}

namespace holdfast HOLDFAST_PUBLIC {

class Connection {
 public:
  // The caller's own engine and environment; both outlive every copy.
  Connection(api::Connection& engine, const Environment& environment)
      : Connection(std::shared_ptr<api::Connection>(std::shared_ptr<void>(), &engine), environment, {}, {}) {}
  // `engine` goes with the last copy, and what `environment` refers to may go with it. A `status` that is
  // not OK says why there is no server; `engine` then answers every call with it. `namespace_name` empty:
  // "default".
  Connection(std::shared_ptr<api::Connection> engine, Environment environment, std::string namespace_name,
             Status status)
      : engine_(std::move(engine)),
        environment_(std::move(environment)),
        namespace_(namespace_name.empty() ? "default" : std::move(namespace_name)),
        status_(std::move(status)) {}

  // Why the connection cannot be used at all: the address or an option makes no sense. A server that does
  // not answer is no such reason: calls find that out, and go on when it is back.
  const Status& status() const { return status_; }
  // Of clients and workers that name none.
  const std::string& namespace_name() const { return namespace_; }

  // For the library.
  api::Connection& engine() const { return *engine_; }
  const Environment& environment() const { return environment_; }

 private:
  std::shared_ptr<api::Connection> engine_;
  Environment environment_;
  std::string namespace_;
  Status status_;
};

}  // namespace holdfast HOLDFAST_PUBLIC
