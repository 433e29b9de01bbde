// /api/v1/completions/{token}: somebody outside ends a call of a run. Whoever has the token may: it is the
// whole authority, good for this one call and once.

#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxError = 64 * 1024;

Response complete(ApiContext& context, Request& request) {
  auto body = json_body(request, {"result", "error"}, true);
  if (!body) return body.error().response();
  const auto result = body->find("result");
  auto error = string_member(*body, "error", kMaxError);
  if (!error) return error.error().response();
  platform::CompletionAttempt attempt;
  attempt.token = std::string(request.param("token"));
  attempt.succeeded = !body->contains("error");
  if (attempt.succeeded && result == body->end()) {
    return Problem(400, "missing_field", "neither 'result' nor 'error' is given")
        .hint("a call that gives nothing back ends with {\"result\": null}")
        .response();
  }
  if (!attempt.succeeded) {
    if (result != body->end())
      return Problem(400, "invalid_field", "'result' and 'error' are two ends of a call; give one")
          .response();
    if (error->empty())
      return Problem(400, "invalid_field", "'error' is empty").hint("say what went wrong").response();
    attempt.result = *error;
  } else if (result != body->end() && !result->is_null()) {
    attempt.result = result->is_string() ? result->get<std::string>() : dump_json(*result);
  }
  auto completed = context.runs().complete(attempt);
  if (!completed) return problem_of(completed.error()).response();
  return json_response({{"id", completed->id},
                        {"run", completed->run},
                        {"tool", completed->tool},
                        {"step", completed->step},
                        {"state", platform::to_string(completed->state)},
                        {"completed_at", iso_time(completed->ended_at.value_or(completed->at))}});
}

}  // namespace

void add_completion_routes(Router& router, ApiContext& context) {
  // The token is the credential: it is for one call, and whoever has it need not be known here.
  router.add("POST", "/api/v1/completions/{token}", Permission::kAnyone, context.answering(complete));
}

}  // namespace holdfast::http
