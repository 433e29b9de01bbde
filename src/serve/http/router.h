#pragma once

// The routes of the API. None can be added without the permission that it needs, and nothing is served before
// whoever asks has been found to have it: who it is comes from the key, the session or the gate's being open
// (identity/gate.h). What only a browser sends on its own, the session's cookie, changes nothing unless the
// request is known to come from a page of ours.
//
// Constant after construction, thread-safe.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "identity/gate.h"
#include "net/router.h"
#include "runs/start_settings.h"

namespace holdfast::http {

using identity::Permission;

class Router {
 public:
  // Null: nobody is let in anywhere but where everybody is. The gate outlives the router.
  Router() = default;
  Router(const identity::Gate* gate, std::string namespace_name)
      : gate_(gate), namespace_(std::move(namespace_name)) {}

  // `parameters`: those of the query that the handler reads; "*": whatever there is.
  void add(std::string method, std::string pattern, Permission permission, Handler handler,
           std::initializer_list<std::string_view> parameters = {});
  void handle(Request request, Responder responder) const;

  struct Served {
    net::Router::Served route;
    Permission permission = Permission::kAdmin;
  };
  std::vector<Served> served() const;

 private:
  void guarded(Permission permission, const Handler& handler, Request request, Responder responder) const;

  const identity::Gate* gate_ = nullptr;
  std::string namespace_;
  net::Router routes_;
  std::vector<Permission> permissions_;  // of the routes, in their order
};

// Who sent a request that a route serves.
const identity::Caller& sender_of(const Request& request);
// Who does what the request asks for: whoever has a credential does it under his name; on an open server
// whoever the request names, or "local".
std::string actor_of(const Request& request, std::string_view named);

// The same of a run that is started: nobody on an open server.
runs::Asker asker_of(const Request& request);

// The cookie of a session. With TLS browsers bind it to the host and send it over TLS alone.
std::string_view session_cookie(const Request& request);
Header set_session(const Request& request, std::string_view secret, std::chrono::seconds lasts);

}  // namespace holdfast::http
