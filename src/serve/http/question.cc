#include "http/question.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "http/answer_files.h"
#include "identity/gate.h"
#include "spec/json_schema.h"
#include "spec/written_order.h"

namespace holdfast::http {

using protocol::HumanQuestion;

std::optional<HumanQuestion> question_of(const platform::Approval& approval) {
  if (approval.question.empty()) return std::nullopt;
  return parse_json(approval.question).get<HumanQuestion>();
}

Json question_json(const HumanQuestion& question) {
  Json out = {{"text", question.text}, {"form", spec::as_written(question.form)}};
  if (!question.people.empty()) out["people"] = question.people;
  if (!question.roles.empty()) out["roles"] = question.roles;
  if (!question.fallback.is_null()) out["default"] = question.fallback;
  return out;
}

std::vector<std::string> roles_among(ApiContext& context, const Request& request,
                                     const std::vector<std::string>& names) {
  const identity::Caller& sender = sender_of(request);
  if (sender.kind == identity::Caller::Kind::kLocal) return names;
  if (context.deps.gate == nullptr) return {};
  const identity::Roles roles = context.deps.gate->directory().roles_of(sender);
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto role = identity::role_by_name(name);
    if (role && roles.has(context.deps.namespace_name, *role)) out.push_back(name);
  }
  return out;
}

std::optional<Problem> not_asked(ApiContext& context, const Request& request, const HumanQuestion& question,
                                 std::string_view name) {
  if (question.people.empty() && question.roles.empty()) return std::nullopt;
  if (std::ranges::find(question.people, name) != question.people.end()) return std::nullopt;
  if (!roles_among(context, request, question.roles).empty()) return std::nullopt;
  return Problem(403, "not_asked", "this question is for somebody else")
      .hint(
          "`question.people` and `question.roles` say who may answer; one of them can, or whoever has a "
          "link");
}

std::optional<Problem> not_of_form(ApiContext& context, const platform::Approval& approval,
                                   const HumanQuestion& question, nlohmann::json& answer) {
  if (dump_json(answer).size() > protocol::kMaxAnswerBytes)
    return Problem(413, "answer_too_large",
                   fmt::format("an answer has {} bytes at most", protocol::kMaxAnswerBytes));
  auto bad = spec::validate(question.form, answer, spec::Formats::kChecked);
  if (!bad) return check_files(context, approval, question, answer);
  return Problem(422, "invalid_answer", *bad)
      .hint("nothing was answered; `question.form` is its JSON Schema");
}

}  // namespace holdfast::http
