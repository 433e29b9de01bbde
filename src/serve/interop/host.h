#pragma once

// Host: what the protocols need of the server around them. Made by `http`, which outlives what uses it.
// Constant; everything in it is thread-safe.

#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "holdfast/environment.h"
#include "identity/gate.h"
#include "net/message.h"
#include "net/problem.h"
#include "platform/store.h"
#include "runs/runs.h"
#include "runs/start_settings.h"

namespace holdfast::interop {

using Json = nlohmann::ordered_json;

struct Host {
  runs::Runs* runs = nullptr;
  platform::Store* store = nullptr;
  const identity::Gate* gate = nullptr;
  std::string namespace_name;
  const Environment* environment = nullptr;
  Executor* streams = nullptr;         // runs what feeds a connection
  std::function<bool()> stopping;      // the server ends: who goes now has not hung up
  std::function<std::string()> page;   // where people reach the console, without a slash at its end
  std::function<std::string()> build;  // the server's version
  std::function<net::Problem(const Status&)> problem_of;

  const identity::Caller& caller(const net::Request& request) const {
    static const identity::Caller nobody;
    return request.sender ? *static_cast<const identity::Caller*>(request.sender.get()) : nobody;
  }
  bool may(const identity::Caller& caller, identity::Permission permission) const {
    return gate != nullptr && gate->check(caller, namespace_name, permission).ok();
  }
  // On an open server nobody knows who somebody is.
  static bool is_known(const identity::Caller& caller) {
    return caller.kind != identity::Caller::Kind::kLocal && caller.kind != identity::Caller::Kind::kNobody;
  }
  // Of a run that a request starts, as JSON with sorted keys, so that the same ones are the same start; "" when there
  // are none. Blocks on the store.
  std::string settings_of(const net::Request& request, const platform::StartIntent& intent,
                          const Json& context) const {
    nlohmann::json out = nlohmann::json::object();
    if (context.is_object()) out["context"] = nlohmann::json(context);
    runs::put_asker(out, *store, intent,
                    {.name = is_known(caller(request)) ? caller(request).name : std::string(),
                     .traceparent = std::string(request.header("traceparent")),
                     .tracestate = std::string(request.header("tracestate"))});
    return out.empty() ? std::string() : dump_json(out);
  }
  // Under whose name something is decided: that of the credential.
  static std::string name_of(const identity::Caller& caller) {
    return caller.name.empty() ? std::string(identity::kLocalName) : caller.name;
  }
};

}  // namespace holdfast::interop
