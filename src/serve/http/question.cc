#include "http/question.h"

#include <fmt/format.h>

#include "base/json.h"
#include "http/answer_files.h"
#include "identity/gate.h"
#include "spec/json_schema.h"
#include "spec/written_order.h"

namespace holdfast::http {

using protocol::HumanQuestion;

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
  if (context.deps.gate == nullptr)
    return sender.kind == identity::Caller::Kind::kLocal ? names : std::vector<std::string>();
  return context.deps.gate->directory().roles_among(sender, context.deps.namespace_name, names);
}

std::optional<Problem> not_asked(ApiContext& context, const Request& request, const HumanQuestion& question,
                                 std::string_view name) {
  const auto has_role = [&] { return !roles_among(context, request, question.roles).empty(); };
  if (runs::is_asked(question, name, has_role)) return std::nullopt;
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
