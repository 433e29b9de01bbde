#include "http/router.h"

#include "http/cookies.h"
#include "http/repeats.h"

namespace holdfast::http {

namespace {

using identity::Caller;
using identity::Gate;

constexpr std::string_view kCookie = "holdfast_session";

Problem refusal(const Status& status) {
  Problem problem = Problem::from(status);
  if (status.code() == Code::kUnauthenticated) {
    return std::move(problem)
        .hint("send Authorization: Bearer KEY (`holdfast key create`), or sign in: POST /api/v1/session")
        .header("WWW-Authenticate", "Bearer realm=\"holdfast\"");
  }
  return std::move(problem).hint("an admin may give the role: `holdfast user role`, `holdfast key create`");
}

bool changes_something(const Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
}

// The guard has refused every Origin and Sec-Fetch-Site but our own; here one of them has to be there.
bool is_from_our_page(const Request& request) {
  return request.header("sec-fetch-site") == "same-origin" || !request.header("origin").empty();
}

Handler refusing_keys(Handler handler) {
  return [handler = std::move(handler)](Request request, Responder responder) {
    if (auto refused = refused_key(request)) return responder.reply(refused->response());
    handler(std::move(request), std::move(responder));
  };
}

// A stream goes on as long as whoever reads it may: it is asked again before every piece.
class GuardedWriter final : public net::ResponseWriter {
 public:
  GuardedWriter(Responder responder, std::function<bool()> may)
      : responder_(std::move(responder)), may_(std::move(may)) {}

  void drop() override { responder_.drop(); }
  void reply(Response response) override { responder_.reply(std::move(response)); }
  std::shared_ptr<Stream> stream(Response head, Executor& executor, Stream::Source source) override {
    auto guarded = [may = may_, source = std::move(source)]() mutable -> std::optional<std::string> {
      if (!may()) return std::nullopt;
      return source();
    };
    return responder_.stream(std::move(head), executor, std::move(guarded));
  }
  bool gone() const override { return responder_.gone(); }

 private:
  Responder responder_;
  const std::function<bool()> may_;
};

}  // namespace

void Router::add(std::string method, std::string pattern, Permission permission, Handler handler,
                 std::initializer_list<std::string_view> parameters) {
  permissions_.push_back(permission);
  if (refuses_keys(method, pattern)) handler = refusing_keys(std::move(handler));
  routes_.add(
      std::move(method), std::move(pattern),
      [this, permission, handler = std::move(handler)](Request request, Responder responder) {
        guarded(permission, handler, std::move(request), std::move(responder));
      },
      parameters);
}

std::vector<Router::Served> Router::served() const {
  std::vector<Served> out;
  for (net::Router::Served& route : routes_.served())
    out.push_back({.route = std::move(route), .permission = permissions_[out.size()]});
  return out;
}

void Router::handle(Request request, Responder responder) const {
  routes_.handle(std::move(request), std::move(responder));
}

void Router::guarded(Permission permission, const Handler& handler, Request request,
                     Responder responder) const {
  Result<Caller> caller{Caller{}};
  if (gate_ != nullptr) {
    caller = gate_->admit({.authorization = request.header("authorization"),
                           .session = session_cookie(request),
                           .certificate = {},
                           .user = request.user});
  }
  if (permission == Permission::kAnyone) {
    request.sender = std::make_shared<const Caller>(caller ? *std::move(caller) : Caller{});
    return handler(std::move(request), std::move(responder));
  }
  if (!caller) return responder.reply(refusal(caller.error()).response());
  if (caller->kind == Caller::Kind::kSession && changes_something(request) && !is_from_our_page(request)) {
    return responder.reply(
        Problem(403, "foreign_origin", "a session changes things from pages of this server alone")
            .hint("programs send a key instead: Authorization: Bearer KEY")
            .response());
  }
  const Status allowed = gate_ != nullptr ? gate_->check(*caller, namespace_, permission)
                                          : Status(Code::kUnauthenticated, "nobody is let in here");
  if (!allowed.ok()) return responder.reply(refusal(allowed).response());
  auto sender = std::make_shared<const Caller>(*std::move(caller));
  request.sender = sender;
  auto may = [this, sender, permission] { return gate_->check(*sender, namespace_, permission).ok(); };
  handler(std::move(request),
          Responder(std::make_shared<GuardedWriter>(std::move(responder), std::move(may))));
}

const Caller& sender_of(const Request& request) {
  static const Caller nobody;
  return request.sender ? *static_cast<const Caller*>(request.sender.get()) : nobody;
}

std::string actor_of(const Request& request, std::string_view named) {
  const Caller& sender = sender_of(request);
  if (sender.speaks_for_others || sender.kind == Caller::Kind::kNobody) return std::string(named);
  return sender.name;
}

runs::Asker asker_of(const Request& request) {
  return {.name = actor_of(request, ""),
          .traceparent = std::string(request.header("traceparent")),
          .tracestate = std::string(request.header("tracestate"))};
}

std::string_view session_cookie(const Request& request) {
  return cookie(request, kCookie);
}

Header set_session(const Request& request, std::string_view secret, std::chrono::seconds lasts) {
  return set_cookie(request, kCookie, secret, "Strict", lasts);
}

}  // namespace holdfast::http
