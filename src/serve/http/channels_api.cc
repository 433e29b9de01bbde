// Decisions from where people were asked: Slack's buttons, and replies to mails. Each carries the link of its
// message, which is the authority and is used by it; Slack's signature and the mail service's key say only
// that it comes from there.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "http/api_context.h"
#include "http/approval_json.h"
#include "http/decide_page.h"
#include "http/mail_reply.h"
#include "http/problems.h"
#include "http/question.h"
#include "http/slack_signature.h"

namespace holdfast::http {

namespace {

using platform::Approval;
using platform::DecisionLink;
using platform::LinkState;
using protocol::DecisionKind;
using runs::DecisionOutcome;

constexpr std::chrono::milliseconds kAnswerWithin{10'000};
constexpr std::chrono::milliseconds kSlackPatience{2'500};  // it shows a failure after three seconds
constexpr std::size_t kMaxSlackBytes = 256 * 1024;
constexpr std::size_t kMaxComment = 4000;
constexpr std::size_t kMaxSlackUser = 64;

// What a link leads to now; or why it leads nowhere, in words.
struct Asked {
  DecisionLink link;
  Approval approval;
};
std::expected<Asked, Problem> asked_by(ApiContext& context, std::string_view token) {
  auto link = context.deps.links->find(token);
  if (!link) return std::unexpected(problem_of(link.error()));
  if (!*link) return std::unexpected(Problem(404, "link_not_found", "no link of this server's stands there"));
  auto approval = context.runs().approval((*link)->approval);
  if (!approval) return std::unexpected(problem_of(approval.error()));
  const LinkState state = state_of(**link, context.deps.links->now());
  if (state != LinkState::kOpen || approval->status != platform::ApprovalStatus::kPending) {
    const bool decided = approval->status != platform::ApprovalStatus::kPending;
    return std::unexpected(Problem(410, decided ? "approval_already_decided" : "link_over",
                                   decided ? fmt::format("it was {}", outcome_of(*approval))
                                           : fmt::format("the link is {}", platform::to_string(state)))
                               .member("approval", dump_json(approval_json(*approval))));
  }
  Asked out;
  out.link = **std::move(link);
  out.approval = *std::move(approval);
  return out;
}

runs::DecisionRequest decision_by(const Asked& asked, DecisionKind kind, std::string_view through) {
  runs::DecisionRequest out;
  out.approval = asked.approval.id;
  out.decision = kind;
  out.arguments_sha256 = asked.approval.arguments_sha256;
  out.decided_by = fmt::format("{}/{}", runs::principal_of(asked.link), through);
  out.link = asked.link.id;
  return out;
}

// ---- Slack

Response said_in_slack(std::string_view text) {
  return json_response({{"response_type", "ephemeral"}, {"replace_original", false}, {"text", text}});
}

struct Pressed {
  std::string action;
  std::string token;
  std::string user;
};

std::expected<Pressed, Problem> pressed(const Request& request) {
  for (const Header& field : net::parse_query(request.body)) {
    if (field.name != "payload") continue;
    const nlohmann::json payload = parse_json(field.value);
    const auto text = [](const nlohmann::json& in, const char* name) {
      return in.is_object() && in.contains(name) && in[name].is_string() ? in[name].get<std::string>() : "";
    };
    if (!payload.is_object() || text(payload, "type") != "block_actions" || !payload.contains("actions") ||
        !payload["actions"].is_array() || payload["actions"].empty()) {
      break;
    }
    Pressed out;
    out.action = text(payload["actions"][0], "action_id");
    out.token = text(payload["actions"][0], "value");
    out.user = bounded_text(text(payload.value("user", nlohmann::json()), "id"), kMaxSlackUser);
    return out;
  }
  return std::unexpected(Problem(400, "invalid_field", "`payload` is no press of a button"));
}

void slack(SlackSignatures& signatures, ApiContext& context, Request& request, Responder responder) {
  if (request.body.size() > kMaxSlackBytes)
    return responder.reply(Problem(413, "body_too_large", "a press of a button is shorter").response());
  const Status genuine =
      signatures.check(request.header("x-slack-request-timestamp"), request.header("x-slack-signature"),
                       request.body, context.deps.environment->clock().now());
  if (!genuine.ok()) return responder.reply(Problem::from(genuine).response());
  auto press = pressed(request);
  if (!press) return responder.reply(press.error().response());
  const bool approves = press->action == "holdfast_approve";
  if (!approves && press->action != "holdfast_reject") return responder.reply(json_response(Json::object()));
  auto asked = asked_by(context, press->token);
  if (!asked) return responder.reply(said_in_slack(asked.error().detail()));
  const auto decision = decision_by(*asked, approves ? DecisionKind::kApprove : DecisionKind::kReject,
                                    fmt::format("slack:{}", press->user));
  context.runs().decide(
      decision, kSlackPatience, [responder = std::move(responder)](Result<runs::Decided> decided) mutable {
        if (!decided) return responder.reply(said_in_slack(decided.error().message()));
        responder.reply(said_in_slack(decided->outcome == DecisionOutcome::kSent ? "The decision is kept."
                                      : decided->outcome == DecisionOutcome::kTaken
                                          ? outcome_of(decided->approval)
                                      : decided->why.empty() ? outcome_of(decided->approval)
                                                             : decided->why));
      });
}

// ---- mail

std::expected<Mail, Problem> mail_of(const Request& request) {
  if (request.header("content-type").starts_with("message/rfc822")) {
    auto mail = read_mail(request.body);
    if (mail) return *std::move(mail);
    return std::unexpected(Problem(422, "invalid_mail", mail.error().message()));
  }
  if (request.body.size() > kMaxMailBytes)
    return std::unexpected(Problem(413, "body_too_large", "a mail has 1 MiB at most"));
  auto body = json_body(request, {"from", "subject", "text"});
  if (!body) return std::unexpected(body.error());
  auto from = string_member(*body, "from", 1000);
  if (!from) return std::unexpected(from.error());
  auto text = string_member(*body, "text", kMaxMailBytes);
  if (!text) return std::unexpected(text.error());
  Mail out;
  out.from = address_of(*from);
  out.text = *std::move(text);
  if (out.from.empty())
    return std::unexpected(Problem(400, "missing_field", "'from' is missing: the address of who wrote it"));
  return out;
}

// A form of one text takes it as it was written.
nlohmann::json answer_in(const std::string& text, const nlohmann::json& form) {
  const nlohmann::json typed = parse_json(text);
  if (typed.is_object()) return typed;
  const auto properties = form.find("properties");
  if (properties == form.end() || properties->size() != 1) return text;
  return nlohmann::json{{properties->begin().key(), text}};
}

std::expected<runs::DecisionRequest, Problem> mailed_decision(ApiContext& context, const Mail& mail) {
  if (mail.automatic)
    return std::unexpected(Problem(422, "invalid_mail", "nobody wrote this: it was sent automatically"));
  auto asked = asked_by(context, link_token_in(mail.text));
  if (!asked) return std::unexpected(asked.error());
  const std::string& recipient = asked->link.recipient;
  if (recipient.find('@') != std::string::npos && address_of(recipient) != mail.from)
    return std::unexpected(
        Problem(403, "not_asked", fmt::format("the mail asked somebody else than {}", mail.from)));
  const MailWords words = words_of(mail.text);
  const auto question = question_of(asked->approval);
  const auto kind = protocol::decision_kind_by_name(words.word);
  const bool fits = kind && (*kind == DecisionKind::kReject ||
                             *kind == (question ? DecisionKind::kAnswer : DecisionKind::kApprove));
  if (!fits) {
    return std::unexpected(
        Problem(422, "invalid_decision",
                fmt::format("the reply begins with '{}'", bounded_text(words.word, 50)))
            .hint(question ? "it begins with answer or reject" : "it begins with approve or reject"));
  }
  auto out = decision_by(*asked, *kind, "mail");
  if (*kind == DecisionKind::kAnswer) {
    nlohmann::json answer = answer_in(words.rest, question->form);
    if (auto refused = not_of_form(context, asked->approval, *question, answer)) return std::unexpected(*std::move(refused));
    out.edited_arguments = dump_json(answer);
  } else {
    out.comment = bounded_text(words.rest, kMaxComment);
  }
  return out;
}

void mail_reply(ApiContext& context, Request& request, Responder responder) {
  auto mail = mail_of(request);
  if (!mail) return responder.reply(mail.error().response());
  auto decision = mailed_decision(context, *mail);
  if (!decision) return responder.reply(decision.error().response());
  context.runs().decide(*decision, kAnswerWithin,
                        [&context, responder = std::move(responder)](Result<runs::Decided> decided) mutable {
                          responder.reply(decided_response(context, decided));
                        });
}

}  // namespace

void add_channel_routes(Router& router, ApiContext& context) {
  auto signatures = std::make_shared<SlackSignatures>(context.deps.slack_secret);
  // Slack's signature is the credential.
  router.add("POST", "/api/v1/slack/actions", Permission::kAnyone,
             context.blocking([signatures](ApiContext& of, Request& request, Responder responder) {
               slack(*signatures, of, request, std::move(responder));
             }));
  router.add("POST", "/api/v1/mail/replies", Permission::kDecide, context.blocking(mail_reply));
}

}  // namespace holdfast::http
