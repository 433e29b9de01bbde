#include "runs/run_question.h"

#include <algorithm>

#include "base/json.h"

namespace holdfast::runs {

using protocol::HumanQuestion;

std::optional<HumanQuestion> question_of(const platform::Approval& approval) {
  if (approval.question.empty()) return std::nullopt;
  return parse_json(approval.question).get<HumanQuestion>();
}

bool is_asked(const HumanQuestion& question, std::string_view name, const std::function<bool()>& has_role) {
  if (question.people.empty() && question.roles.empty()) return true;
  return std::ranges::find(question.people, name) != question.people.end() || has_role();
}

}  // namespace holdfast::runs
