#include "interop/start.h"

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"
#include "interop/decisions.h"
#include "interop/questions.h"

namespace holdfast::interop {

net::Problem wrong_field(std::string detail) {
  return {400, "invalid_field", std::move(detail)};
}

std::string run_id_of(std::string_view protocol, const identity::Caller& caller,
                      std::initializer_list<std::string_view> parts) {
  std::string all = Host::name_of(caller);
  for (const std::string_view part : parts) all += fmt::format("\n{} {}", part.size(), part);
  return fmt::format("{}-{}", protocol, sha256_hex(all).substr(0, 32));
}

std::expected<std::string, net::Problem> start_chat(const Host& host, const net::Request& request,
                                                    const ChatStart& start) {
  platform::StartIntent intent;
  intent.agent = start.agent;
  intent.run = start.run;
  intent.conversation = start.conversation;
  intent.input = dump_json(Json(start.input));
  intent.settings = host.settings_of(request, intent, start.context);
  intent.started_by = Host::name_of(host.caller(request));
  const auto started = host.runs->start(std::move(intent));
  if (!started) return std::unexpected(host.problem_of(started.error()));
  return started->run.run;
}

namespace {

std::expected<runs::DecisionRequest, std::string> decision_of(const platform::Approval& approval,
                                                              const ChatAnswer& answer) {
  if (const auto question = question_of(approval)) return answer_to(*question, answer.form);
  if (!answer.approved) return std::unexpected("`approved` of the answer must be true or false");
  runs::DecisionRequest out;
  out.decision = *answer.approved ? protocol::DecisionKind::kApprove : protocol::DecisionKind::kReject;
  out.comment = bounded_text(answer.comment, kMaxComment);
  return out;
}

}  // namespace

std::expected<Resumed, net::Problem> resume_chat(const Host& host, const identity::Caller& caller,
                                                 std::string_view agent, std::string_view question,
                                                 const ChatAnswer& answer) {
  const auto place = read_question_at(question);
  if (!place) return std::unexpected(wrong_field(fmt::format("'{}' is no question of ours", question)));
  const auto approval = host.runs->approval(place->approval);
  if (!approval) return std::unexpected(host.problem_of(approval.error()));
  if (approval->agent != agent.substr(0, agent.find('@')))
    return std::unexpected(wrong_field(fmt::format("the question is of the agent '{}'", approval->agent)));
  if (!may_answer(host, caller, *approval)) {
    return std::unexpected(
        net::Problem(403, "permission_denied", "this credential may not answer that")
            .hint(
                "an approver decides: in the console, or with a key of the role `approver`, if it is one of "
                "those whom a question asks"));
  }
  Resumed out;
  out.run = approval->run;
  out.mark = place->mark;
  if (!answer.given) return out;
  auto decision = decision_of(*approval, answer);
  if (!decision) return std::unexpected(wrong_field(std::move(decision.error())));
  out.decision = *std::move(decision);
  out.decision.approval = approval->id;
  out.decision.arguments_sha256 = approval->arguments_sha256;
  out.decision.decided_by = caller.name;
  out.decision.idempotency_key = question;
  return out;
}

void follow(const Host& host, std::shared_ptr<ProtocolStream> source, std::string_view mark, bool greets,
            net::Response head, net::Responder responder) {
  if (Status opened = source->open(mark, greets); !opened.ok())
    return responder.reply(host.problem_of(opened).response());
  serve_stream(std::move(responder), *host.streams, std::move(head), source);
}

}  // namespace holdfast::interop
