#pragma once

// Routes: method and path pattern to handler. Patterns are literal segments and {name} segments. Unknown
// path: 404; known path, wrong method: 405 with Allow; a query parameter that the route does not know: 400,
// so that a misspelled filter does not pass for none, and so is one that comes twice, or a header that may
// come once: no half of what was said is taken for all. HEAD is served by GET. Constant after construction,
// thread-safe.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "net/message.h"

namespace holdfast::net {

class Router {
 public:
  // `parameters`: those of the query that the handler reads; "NAME*": any number of times; "*": whatever
  // there is.
  void add(std::string method, std::string pattern, Handler handler,
           std::initializer_list<std::string_view> parameters = {});
  void handle(Request request, Responder responder) const;

  struct Served {
    std::string method;
    std::string pattern;
    std::vector<std::string> parameters;
  };
  // In the order in which they were added.
  std::vector<Served> served() const;

 private:
  struct Route {
    Served served;
    std::vector<std::string> repeatable;  // of the parameters
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace holdfast::net
