#pragma once

// Routes: method and path pattern to handler. Patterns are literal segments and {name} segments. Unknown
// path: 404; known path, wrong method: 405 with Allow. HEAD is served by GET. Constant after construction,
// thread-safe.

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace holdfast::http {

class Router {
 public:
  void add(std::string method, std::string pattern, Handler handler);
  void handle(Request request, Responder responder) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace holdfast::http
