// Code whose run ended before it had a result is not run again by the run that takes that one up: the model
// is told what its calls came to, so that it makes only those that are missing.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/builtin_tools.h"
#include "base/json.h"
#include "base/text.h"
#include "definition/bind.h"

namespace holdfast::agent {

namespace {

// Of one call, and of all of them.
constexpr std::size_t kMaxArguments = 300;
constexpr std::size_t kMaxOutcome = 600;
constexpr std::size_t kMaxLeft = 16 << 10;

std::string line_of(const Json& asked, std::string outcome) {
  return fmt::format("\n{}({}): {}", asked.value("tool", ""),
                     bounded_text(asked.value("arguments", ""), kMaxArguments),
                     bounded_text(std::move(outcome), kMaxOutcome));
}

}  // namespace

std::string Activities::outcome_of(activity::Context& ctx, const ToolAnswer& answer) {
  if (answer.source == AnswerSource::kError) return "failed: " + answer.text;
  if (answer.source == AnswerSource::kText) return answer.text;
  std::vector<platform::StepWrite> none;  // the store has it
  const Json record = Json::parse(recorded_result(ctx, answer, none));
  const std::string text = record.value("text", "");
  return record.value("is_error", false) ? "failed: " + text : text;
}

// Of the last round nobody has put down how its calls ended: the ledger knows those that have.
std::string Activities::outcome_in_round(activity::Context& ctx, const AgentDefinition& agent,
                                         const std::string& round, std::uint32_t place, const Json& asked,
                                         const Json& context) {
  CallRef call;
  call.round = round;
  call.place = place;
  call.tool = asked.value("tool", "");
  Json arguments = parse_json(asked.value("arguments", ""));
  if (!arguments.is_object()) return "not made: its arguments are no object";
  const auto key_of = [&](const std::string& canonical) { return code_call_key(call, canonical); };
  const ToolAnswer known = known_of_call(agent, context, call.tool, std::move(arguments), key_of);
  return known.key.empty() ? known.text : outcome_of(ctx, known);
}

std::string Activities::code_left(activity::Context& ctx, const AgentDefinition& agent,
                                  const std::string& last, const Json& context) {
  const std::vector<Json> rounds = code_rounds(last);
  std::string out =
      "the run ended before this code had a result, and it is not run again. What its calls have done "
      "stands; "
      "make only those that are missing:";
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const bool is_last = i + 1 == rounds.size();
    const auto answers =
        is_last ? std::vector<ToolAnswer>() : rounds[i + 1].at("answers").get<std::vector<ToolAnswer>>();
    std::uint32_t place = 0;
    for (const Json& asked : rounds[i].at("calls")) {
      if (out.size() > kMaxLeft) {
        ++left_out;
      } else {
        out += line_of(asked, place < answers.size()
                                  ? outcome_of(ctx, answers[place])
                                  : outcome_in_round(ctx, agent, last, place, asked, context));
      }
      ++place;
    }
    ctx.heartbeat();
  }
  if (left_out > 0) out += fmt::format("\n({} more calls were made, or were about to be)", left_out);
  return out;
}

}  // namespace holdfast::agent
