#include "interop/questions.h"

#include <fmt/format.h>

#include "base/json.h"
#include "spec/json_schema.h"

namespace holdfast::interop {

using protocol::HumanQuestion;

bool may_answer(const Host& host, const identity::Caller& caller, const platform::Approval& approval) {
  if (!host.may(caller, identity::Permission::kDecide)) return false;
  const auto question = question_of(approval);
  return !question || runs::is_asked(*question, caller.name, [&] {
    return !host.gate->directory().roles_among(caller, host.namespace_name, question->roles).empty();
  });
}

bool takes_data(const HumanQuestion& question) {
  return protocol::file_fields(question.form).empty();
}

std::expected<runs::DecisionRequest, std::string> answer_to(const HumanQuestion& question, const Json& said) {
  if (!takes_data(question)) return std::unexpected("the question asks for a file: answer it on its page");
  if (!said.is_object()) return std::unexpected("the answer is an object, as the question's form says");
  const nlohmann::json answer(said);
  std::string json = dump_json(answer);
  if (json.size() > protocol::kMaxAnswerBytes)
    return std::unexpected(fmt::format("the answer has more than {} bytes", protocol::kMaxAnswerBytes));
  if (auto bad = spec::validate(question.form, answer, spec::Formats::kChecked))
    return std::unexpected("the answer is none of the question's form: " + *bad);
  runs::DecisionRequest out;
  out.decision = protocol::DecisionKind::kAnswer;
  out.edited_arguments = std::move(json);
  return out;
}

}  // namespace holdfast::interop
