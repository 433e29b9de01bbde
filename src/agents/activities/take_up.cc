// A run that takes up an earlier one goes on where that came to: what is in its conversation is not done
// again, and calls that it made without an answer get the one that the ledger knows. A fork goes on from any
// place of it, on a branch of its own: what it calls has keys of its own, because the branch is part of them.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "activities/activities.h"
#include "activities/builtin_tools.h"
#include "activities/first_message.h"
#include "activities/fork_start.h"
#include "activities/past_calls.h"
#include "activities/unanswered_call.h"
#include "agent/pending.h"
#include "base/json.h"
#include "base/sha256.h"
#include "definition/bind.h"
#include "platform/fork_store.h"

namespace holdfast::agent {

namespace {

// Messages that are read to find the calls without an answer.
constexpr std::uint64_t kLookBack = 2 * kMaxCallsPerTurn;

ToolAnswer text_answer(const model::ToolCall& call, std::uint32_t ordinal, std::string text) {
  ToolAnswer out;
  out.ordinal = ordinal;
  out.id = call.id;
  out.text = std::move(text);
  return out;
}

}  // namespace

std::optional<ToolAnswer> Activities::recorded_under(const std::string& key) {
  ToolAnswer out;
  const auto effect = require(deps_.store->lookup_effect(key), "the result of a call");
  if (effect && effect->state == platform::EffectState::kSettled) {
    out.source = AnswerSource::kEffect;
    out.key = key;
    return out;
  }
  if (require(deps_.store->lookup_step("tool:" + key), "the result of a call")) {
    out.source = AnswerSource::kStep;
    out.key = "tool:" + key;
    return out;
  }
  if (!effect) return std::nullopt;
  out.text =
      "the run was interrupted, and it is not known whether this call took effect; find out before it is "
      "made again";
  return out;
}

ToolAnswer Activities::known_of_call(const AgentDefinition& agent, const Json& context,
                                     const std::string& tool, Json arguments,
                                     const std::function<std::string(const std::string& arguments)>& key_of) {
  Json bound;
  if (const ToolSpec* spec = tool_named(agent, tool))
    bound = require(bound_values(*spec, context), "the bound arguments");
  if (bound.is_object()) arguments.update(bound);
  const std::string key = key_of(dump_json(arguments));
  if (auto recorded = recorded_under(key)) return *recorded;
  ToolAnswer out;
  out.text = "the run ended before this call had a result; whether it was made is not known";
  for (const std::string& id : {approval_id(key), question_id(key)}) {
    Result<platform::Approval> asked = deps_.store->approval(id);
    if (!asked && asked.error().code() == Code::kNotFound) continue;
    const platform::Approval approval = require(std::move(asked), "the approval of a call");
    if (auto why = why_not_made(approval)) out.text = *why;
    if (approval.status != platform::ApprovalStatus::kEdited) return out;
    const auto edited = edited_canonical(approval, bound);
    if (!edited) return out;
    if (auto recorded = recorded_under(key_of(*edited))) return *recorded;
  }
  return out;
}

// Repeats have keys of their own, and are made of a call that is recorded.
ToolAnswer Activities::known_answer(activity::Context& ctx, const AgentDefinition& agent, const Json& context,
                                    const ConversationRef& message, const model::ToolCall& call,
                                    std::uint32_t ordinal) {
  Json arguments = parse_json(call.arguments.empty() ? "{}" : call.arguments);
  if (!arguments.is_object())
    return text_answer(call, ordinal, "the arguments are not valid JSON; send one JSON object");
  const auto key_of = [&](const std::string& canonical) {
    return idempotency_key(ctx.info().namespace_name, message, ordinal, call.name, canonical);
  };
  ToolAnswer out = known_of_call(agent, context, call.name, std::move(arguments), key_of);
  out.ordinal = ordinal;
  out.id = call.id;
  return out;
}

ConversationRef Activities::take_up(activity::Context& ctx, const platform::Origin& origin,
                                    const RunInput& run, const AgentDefinition& agent,
                                    const std::string& version, const RunSettings& settings) {
  const auto fork = fork_of(*deps_.store, ctx, run);
  const Json state = fork ? Json::object() : parse_json(origin.state);
  const auto head = fork ? fork->at : state.at("conversation").get<ConversationRef>();
  const auto undone = fork ? fork->undone : state.value("undone", std::vector<std::string>());
  // A fork has a branch of its own, where nobody else speaks.
  const bool in_line = !fork && !run.conversation.empty();
  if (in_line && !require(deps_.store->lookup_step(begin_key(ctx)), "looking up the step"))
    take_turn(ctx, run.conversation);
  std::vector<model::Message> said;
  if (fork && fork->answers && fork->edited) {
    said = edited_answers(*deps_.store, *fork);
  } else if (!fork || fork->known) {
    const std::uint64_t first = head.sequence > kLookBack ? head.sequence - kLookBack : 1;
    const auto tail = require(deps_.store->read(head, first, head.sequence), "the conversation");
    if (tail.empty())
      throw ApplicationFailure::non_retryable("the conversation of the earlier run is gone", "NOT_FOUND");
    const auto last = require(model::message_from_json(tail.back().json), "the last message");
    std::vector<ToolAnswer> answers;
    if (last.role == model::Role::kAssistant) {
      const Json code = state.value("code", Json::object());
      for (std::uint32_t i = 0; i < last.tool_calls.size(); ++i) {
        ToolAnswer answer = known_answer(ctx, agent, settings.context, head, last.tool_calls[i], i);
        const std::string round = code.value(std::to_string(i), "");
        if (answer.key.empty() && !round.empty())  // nobody knows what it came to
          answer.text = code_left(ctx, agent, round, settings.context);
        answers.push_back(std::move(answer));
      }
    }
    std::vector<platform::StepWrite> none;  // the ledger has them
    said = answer_messages(ctx, answers, none);
  }
  if (!undone.empty()) {
    said.push_back(model::Message::user(fmt::format(
        "These calls were taken back when the earlier run ended; they have no effect any more: {}",
        fmt::join(undone, ", "))));
  }
  if (fork && !fork->message.empty())
    said.push_back(require(first_message(fork->message), "the message of the fork"));
  platform::StepWrite write;
  write.key = begin_key(ctx);
  write.run = ctx.info().workflow_id;
  for (const model::Message& message : said) write.messages.push_back(model::to_json(message));
  if (fork || !write.messages.empty()) write.expected = head;
  write.result = begun_with(version, settings);
  spend_.begin(ctx, run, agent, version, write);
  if (fork) require(deps_.store->put_origin(origin), "whose fork the run is");
  auto committed =
      fork ? platform::fork_store_of(*deps_.store).commit_fork(write) : deps_.store->commit_step(write);
  if (!committed) throw_refusal(committed.error());
  const auto record = require(std::move(committed), "storing what the earlier run knew");
  // Nothing comes behind the end of a log.
  if (fork && !turns_.is_over(fork->run))
    publish_to(fork->run, kRunForked, {{"run", write.run}, {"message", head.sequence}},
               "forked/" + write.run);
  return record.appended ? record.appended->head : head;
}

// The rules of a policy look at them, too.
void Activities::know_past(const platform::Origin& origin, const std::optional<Fork>& fork,
                           const AgentDefinition& agent, const RunSettings& settings, Begun& out) {
  PastOf before;
  before.run = origin.origin;
  before.message = fork ? fork->at.sequence : out.head.sequence;
  const auto bound = [&](const std::string& name) -> Json {
    const ToolSpec* tool = tool_named(agent, name);
    return tool ? require(bound_values(*tool, settings.context), "the bound arguments") : Json();
  };
  PastCalls past =
      require(past_calls(*deps_.store, *deps_.streams, before, out.plan.watched, bound), "the calls before");
  out.knows_past = true;
  out.past = std::move(past.calls);
  out.past_lost = std::move(past.lost);
}

}  // namespace holdfast::agent
