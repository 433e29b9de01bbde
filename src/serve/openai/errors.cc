#include "openai/errors.h"

#include <memory>

#include "base/json.h"
#include "base/json_member.h"

namespace holdfast::openai {

namespace {

using net::Response;

class ErrorWriter final : public net::ResponseWriter {
 public:
  explicit ErrorWriter(net::Responder responder) : responder_(std::move(responder)) {}

  void drop() override { responder_.drop(); }
  void reply(Response response) override { responder_.reply(with_openai_error(std::move(response))); }
  std::shared_ptr<net::Stream> stream(Response head, Executor& executor,
                                      net::Stream::Source source) override {
    return responder_.stream(std::move(head), executor, std::move(source));
  }
  bool gone() const override { return responder_.gone(); }

 private:
  net::Responder responder_;
};

}  // namespace

net::Problem wrong(std::string_view param, std::string code, std::string detail) {
  return net::Problem(400, std::move(code), std::move(detail)).member("param", dump_json(Json(param)));
}

std::string_view error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 429: return "rate_limit_error";
    default: return status < 500 ? "invalid_request_error" : "server_error";
  }
}

Json error_json(int status, std::string_view code, std::string_view message, const Json& param) {
  return {{"error",
           {{"message", message},
            {"type", error_type(status)},
            {"param", param},
            {"code", code.empty() ? Json(nullptr) : Json(code)}}}};
}

Response with_openai_error(Response response) {
  if (response.content_type != "application/problem+json") return response;
  const Json problem = parse_json<Json>(response.body);
  if (!problem.is_object()) return response;
  std::string message = string_member(problem, "detail");
  if (const std::string hint = string_member(problem, "hint"); !hint.empty()) message += " (" + hint + ")";
  const auto param = problem.find("param");
  response.content_type = "application/json";
  response.body = dump_json(error_json(response.status, string_member(problem, "code"), message,
                                       param == problem.end() ? Json(nullptr) : *param));
  if (response.status == 409) response.headers.push_back(no_retry());
  return response;
}

net::Responder with_openai_errors(net::Responder responder) {
  return net::Responder(std::make_shared<ErrorWriter>(std::move(responder)));
}

net::Header no_retry() {
  return {"X-Should-Retry", "false"};
}

}  // namespace holdfast::openai
