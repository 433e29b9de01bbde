// Links by which people decide without an account: made, listed and revoked under
// /api/v1/approvals/{id}/links, opened at /decide/{token}. The token is the whole authority, for one decision
// of the named recipient. A GET shows and never decides, since mail programs and scanners follow links; the
// POST has to carry what only the page knows.

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "http/answer_files.h"
#include "http/api_context.h"
#include "http/approval_json.h"
#include "http/decide_page.h"
#include "http/form_fields.h"
#include "http/link_rules.h"
#include "http/problems.h"
#include "http/question.h"
#include "net/multipart.h"
#include "spec/duration.h"

namespace holdfast::http {

namespace {

using platform::Approval;
using platform::DecisionLink;
using platform::LinkState;
using protocol::DecisionKind;
using runs::DecisionOutcome;

constexpr std::chrono::milliseconds kAnswerWithin{10'000};
constexpr std::size_t kMaxPosted = 256 * 1024;
constexpr std::size_t kMaxComment = 4000;
constexpr std::size_t kMaxReasoning = 4000;

// ---- as the API has them

Json link_json(const DecisionLink& link, WallTime now) {
  Json out = {{"id", link.id},
              {"approval", link.approval},
              {"for", link.recipient},
              {"state", to_string(state_of(link, now))},
              {"created_by", link.created_by},
              {"created_at", iso_time(link.created_at)},
              {"expires_at", iso_time(link.expires_at)}};
  if (link.used_at) out["used_at"] = iso_time(*link.used_at);
  if (link.revoked_at) out["revoked_at"] = iso_time(*link.revoked_at);
  return out;
}

std::expected<runs::LinkRequest, Problem> link_request(const Request& request) {
  auto body = json_body(request, {"for", "expires_in", "created_by"});
  if (!body) return std::unexpected(body.error());
  auto recipient = string_member(*body, "for", platform::kMaxRecipientBytes);
  if (!recipient) return std::unexpected(recipient.error());
  if (recipient->empty())
    return std::unexpected(Problem(400, "missing_field", "'for' is missing: who decides with the link"));
  auto lasts = string_member(*body, "expires_in", 50);
  if (!lasts) return std::unexpected(lasts.error());
  auto by = string_member(*body, "created_by", runs::kMaxIdBytes);
  if (!by) return std::unexpected(by.error());
  runs::LinkRequest out;
  out.approval = std::string(request.param("id"));
  out.recipient = *recipient;
  out.created_by = actor_of(request, by->empty() ? "local" : *by);
  if (!lasts->empty()) {
    const auto length = spec::parse_duration(*lasts);
    if (!length || length->count() <= 0 || *length > runs::kLongestLink)
      return std::unexpected(
          Problem(400, "invalid_field", "'expires_in' must be a duration such as 30m, 12h or 7d"));
    out.lasts = *length;
  }
  return out;
}

Response make_link(ApiContext& context, Request& request) {
  auto wanted = link_request(request);
  if (!wanted) return wanted.error().response();
  auto approval = context.runs().approval(wanted->approval);
  if (!approval) return problem_of(approval.error()).response();
  if (auto against = not_for_a_link(context, request, *approval, *wanted)) return against->response();
  auto made = context.deps.links->make(*wanted);
  if (!made) return problem_of(made.error()).response();
  Json out = link_json(made->row, context.deps.links->now());
  out["url"] = made->url;
  return json_response(out, 201);
}

Response list_links(ApiContext& context, Request& request) {
  auto approval = context.runs().approval(std::string(request.param("id")));
  if (!approval) return problem_of(approval.error()).response();
  auto links = context.deps.links->of(approval->id);
  if (!links) return problem_of(links.error()).response();
  Json rows = Json::array();
  for (const DecisionLink& link : *links) rows.push_back(link_json(link, context.deps.links->now()));
  return json_response({{"links", std::move(rows)}});
}

Response revoke_link(ApiContext& context, Request& request) {
  auto links = context.deps.links->of(request.param("id"));
  if (!links) return problem_of(links.error()).response();
  const std::string id(request.param("link"));
  if (std::ranges::find(*links, id, &DecisionLink::id) == links->end())
    return Problem(404, "link_not_found", fmt::format("the approval has no link '{}'", id)).response();
  auto revoked = context.deps.links->revoke(id, actor_of(request, "local"));
  if (!revoked && revoked.error().code() == Code::kFailedPrecondition)
    return Problem(409, "link_used", revoked.error().message()).response();
  if (!revoked) return problem_of(revoked.error()).response();
  return json_response(link_json(*revoked, context.deps.links->now()));
}

// ---- as people see them

struct Opened {
  DecisionLink link;
  Approval approval;
  std::optional<protocol::HumanQuestion> question;
  std::string form_token;
};

// The page is the one that the link's holder was shown, with these arguments.
std::string form_token_of(std::string_view token, const Approval& approval) {
  return sha256_hex(fmt::format("holdfast.form.v1\n{}\n{}", token, approval.arguments_sha256));
}

Response trouble() {
  return word_page(503, "Not now", "The server cannot look this up at the moment. Try the link again later.");
}

std::string so_far(const Approval& approval) {
  if (approval.status == platform::ApprovalStatus::kPending) return "It is still open; ask for another link.";
  return fmt::format("It was {}.", outcome_of(approval));
}

// The open link, or the page that says why there is none.
std::expected<Opened, Response> opened(ApiContext& context, const Request& request) {
  const std::string_view token = request.param("token");
  auto found = context.deps.links->find(token);
  if (!found) return std::unexpected(trouble());
  if (!*found)
    return std::unexpected(
        word_page(404, "This link is not valid",
                  "It was not made by this server, or it is not complete: copy all of it."));
  auto approval = context.runs().approval((*found)->approval);
  if (!approval) return std::unexpected(trouble());
  const WallTime now = context.deps.links->now();
  switch (state_of(**found, now)) {
    case LinkState::kUsed:
      return std::unexpected(word_page(410, "This link was used",
                                       approval->status == platform::ApprovalStatus::kPending
                                           ? "The decision that was made with it is on its way to the agent."
                                           : so_far(*approval)));
    case LinkState::kExpired:
      return std::unexpected(word_page(410, "This link has expired", so_far(*approval)));
    case LinkState::kRevoked:
      return std::unexpected(word_page(410, "This link was revoked", so_far(*approval)));
    case LinkState::kOpen: break;
  }
  if (approval->status != platform::ApprovalStatus::kPending)
    return std::unexpected(word_page(410, "Decided already", so_far(*approval)));
  Opened out;
  out.link = **std::move(found);
  out.form_token = form_token_of(token, *approval);
  out.question = question_of(*approval);
  out.approval = *std::move(approval);
  return out;
}

// What the agent said last, in words.
std::string reasoning_of(ApiContext& context, const Approval& approval) {
  const auto run = context.store().run(approval.run);
  const std::string conversation = run && !run->conversation.empty() ? run->conversation : approval.run;
  const auto head = context.store().head(conversation, 0);
  if (!head || head->sequence == 0) return {};
  const auto messages =
      context.store().read(*head, head->sequence > 4 ? head->sequence - 3 : 1, head->sequence);
  if (!messages) return {};
  for (auto message = messages->rbegin(); message != messages->rend(); ++message) {
    const nlohmann::json stored = parse_json(message->json);
    if (!stored.is_object() || stored.value("role", "") != "assistant" || !stored.contains("content"))
      continue;
    std::string text;
    for (const nlohmann::json& part : stored["content"]) {
      if (part.is_object() && part.value("type", "") == "text") text += part.value("text", "");
    }
    return bounded_text(std::move(text), kMaxReasoning);
  }
  return {};
}

Response show(ApiContext& context, Request& request) {
  auto page = opened(context, request);
  if (!page) return page.error();
  return decide_page({.approval = page->approval,
                      .question = page->question,
                      .recipient = page->link.recipient,
                      .form_token = page->form_token,
                      .reasoning = reasoning_of(context, page->approval)});
}

constexpr std::string_view kPlainForm = "application/x-www-form-urlencoded";
constexpr std::string_view kFilesForm = "multipart/form-data";

std::string_view form_type(const Request& request) {
  const std::string_view type = request.header("content-type");
  return type.substr(0, type.find(';'));
}

std::string posted_value(const std::vector<Header>& posted, std::string_view name) {
  for (const Header& one : posted) {
    if (one.name == name) return one.value;
  }
  return {};
}

// What a browser has sent: fields, and files apart from them.
struct Posted {
  std::vector<Header> fields;
  std::vector<net::FormPart> files;
};

Result<Posted> read_posted(const Request& request) {
  Posted out;
  if (form_type(request) != kFilesForm) {
    out.fields = net::parse_query(request.body);
    return out;
  }
  auto parts = net::read_form_parts(request.header("content-type"), request.body);
  if (!parts) return fail(parts.error());
  for (net::FormPart& part : *parts) {
    if (!part.filename) {
      out.fields.emplace_back(std::move(part.name), std::string(part.body));
    } else if (!part.filename->empty() || !part.body.empty()) {
      out.files.push_back(std::move(part));
    }
  }
  return out;
}

// Files are kept before the answer is whole; without an answer they go with the run's history.
std::optional<std::string> put_files(ApiContext& context, const Opened& page, const Posted& posted,
                                     nlohmann::json& answer) {
  for (const protocol::FileField& field : protocol::file_fields(page.question->form)) {
    FormField named;
    named.name = field.name;
    const auto file = std::ranges::find(posted.files, posted_name(named), &net::FormPart::name);
    if (file == posted.files.end()) continue;
    auto kept = keep_file(context, page.approval, field, file->body, *file->filename);
    if (!kept) return kept.error().detail();
    answer[field.name] = nlohmann::json(*kept);
  }
  return std::nullopt;
}

// What the form says, or what is wrong with it.
std::expected<runs::DecisionRequest, std::string> decision_of(ApiContext& context, const Opened& page,
                                                              const Posted& all) {
  const std::vector<Header>& posted = all.fields;
  runs::DecisionRequest out;
  const auto kind = protocol::decision_kind_by_name(posted_value(posted, "decision"));
  const bool fits = kind && (*kind == DecisionKind::kReject ||
                             *kind == (page.question ? DecisionKind::kAnswer : DecisionKind::kApprove));
  if (!fits) return std::unexpected("Choose one of the buttons.");
  out.decision = *kind;
  out.comment = posted_value(posted, "comment");
  std::erase(out.comment, '\r');
  if (out.comment.size() > kMaxComment)
    return std::unexpected(fmt::format("The comment has {} bytes at most.", kMaxComment));
  if (*kind == DecisionKind::kAnswer) {
    nlohmann::json answer = answer_of(fields_of(page.question->form), posted);
    if (auto bad = put_files(context, page, all, answer)) return std::unexpected(*std::move(bad));
    if (auto bad = not_of_form(context, page.approval, *page.question, answer))
      return std::unexpected(bad->detail());
    out.edited_arguments = dump_json(answer);
  }
  out.approval = page.approval.id;
  out.arguments_sha256 = page.approval.arguments_sha256;
  out.decided_by = runs::principal_of(page.link);
  out.link = page.link.id;
  return out;
}

Response decided_page(const Result<runs::Decided>& decided, DecisionKind kind) {
  if (!decided) {
    switch (decided.error().code()) {
      case Code::kAlreadyExists: return word_page(410, "This link was used", "Somebody was faster with it.");
      case Code::kOutOfRange: return word_page(410, "This link has expired", decided.error().message());
      case Code::kPermissionDenied: return word_page(410, "This link was revoked", decided.error().message());
      default: return trouble();
    }
  }
  switch (decided->outcome) {
    case DecisionOutcome::kTaken:
      return word_page(200,
                       kind == DecisionKind::kApprove  ? "Approved"
                       : kind == DecisionKind::kAnswer ? "Answered"
                                                       : "Rejected",
                       fmt::format("The agent has been told: {}. You can close this page.",
                                   outcome_of(decided->approval)));
    case DecisionOutcome::kSent:
      return word_page(202, "Stored",
                       "Your decision is kept, and the agent is told as soon as it can be reached.");
    case DecisionOutcome::kExpired: return word_page(410, "Too late", "The time for this decision is over.");
    case DecisionOutcome::kAlreadyDecided:
      return word_page(409, "Decided already", fmt::format("It was {}.", outcome_of(decided->approval)));
    case DecisionOutcome::kRefused: break;
  }
  return word_page(409, "Not taken", decided->why);
}

void decide(ApiContext& context, Request& request, Responder responder) {
  const std::string_view type = form_type(request);
  if (type != kPlainForm && type != kFilesForm)
    return responder.reply(word_page(415, "Not understood", "Send the form of the page."));
  if (type == kPlainForm && request.body.size() > kMaxPosted)
    return responder.reply(word_page(413, "Too much", "What was sent is too long."));
  auto page = opened(context, request);
  if (!page) return responder.reply(std::move(page.error()));
  const auto posted = read_posted(request);
  if (!posted) return responder.reply(word_page(400, "Not understood", posted.error().message()));
  const auto again = [&](int status, std::string_view wrong) {
    responder.reply(decide_page({.approval = page->approval,
                                 .question = page->question,
                                 .recipient = page->link.recipient,
                                 .form_token = page->form_token,
                                 .reasoning = reasoning_of(context, page->approval),
                                 .wrong = wrong,
                                 .posted = &posted->fields},
                                status));
  };
  if (!equal_in_constant_time(posted_value(posted->fields, "token"), page->form_token))
    return again(403, "Nothing was decided: look at this page, then choose.");
  auto decision = decision_of(context, *page, *posted);
  if (!decision) return again(422, decision.error());
  context.runs().decide(
      *decision, kAnswerWithin,
      [responder = std::move(responder), kind = decision->decision](Result<runs::Decided> decided) mutable {
        responder.reply(decided_page(decided, kind));
      });
}

}  // namespace

void add_link_routes(Router& router, ApiContext& context) {
  router.add("POST", "/api/v1/approvals/{id}/links", Permission::kDecide, context.answering(make_link));
  router.add("GET", "/api/v1/approvals/{id}/links", Permission::kRead, context.answering(list_links));
  router.add("DELETE", "/api/v1/approvals/{id}/links/{link}", Permission::kDecide,
             context.answering(revoke_link));
  // The token is the credential.
  router.add("GET", "/decide/{token}", Permission::kAnyone, context.answering(show), {"*"});
  router.add("POST", "/decide/{token}", Permission::kAnyone, context.blocking(decide), {"*"});
}

}  // namespace holdfast::http
