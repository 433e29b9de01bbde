#include "interop/decisions.h"

#include <future>
#include <memory>

namespace holdfast::interop {

namespace {

constexpr std::chrono::seconds kAnswerWithin{5};

std::optional<net::Problem> refusal(const Host& host, const Result<runs::Decided>& decided) {
  if (!decided) return host.problem_of(decided.error());
  switch (decided->outcome) {
    case runs::DecisionOutcome::kExpired:
      return net::Problem(410, "approval_expired", "the approval has expired: nothing was decided");
    case runs::DecisionOutcome::kRefused:
      return net::Problem(409, "decision_refused", decided->why).hint("read the approval again");
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<net::Problem> decide_all(const Host& host,
                                       const std::vector<runs::DecisionRequest>& decisions) {
  using Answer = Result<runs::Decided>;
  std::vector<std::future<Answer>> answers;
  for (const runs::DecisionRequest& decision : decisions) {
    // What is answered later than anybody waits for here is answered to nobody.
    auto promise = std::make_shared<std::promise<Answer>>();
    answers.push_back(promise->get_future());
    host.runs->decide(decision, kAnswerWithin,
                      [promise](Answer decided) { promise->set_value(std::move(decided)); });
  }
  std::optional<net::Problem> refused;
  for (std::future<Answer>& answer : answers) {
    if (answer.wait_for(kAnswerWithin * 2) != std::future_status::ready) continue;
    try {
      auto problem = refusal(host, answer.get());
      if (problem && !refused) refused = std::move(problem);
    } catch (const std::future_error&) {
      continue;  // the server ends: the decision is stored, and sent by the next
    }
  }
  return refused;
}

}  // namespace holdfast::interop
