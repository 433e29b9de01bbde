// /api/v1/approvals: what waits for a person, and the person's decision.

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "http/answer_files.h"
#include "http/api_context.h"
#include "http/approval_json.h"
#include "http/approval_terms.h"
#include "http/inbox.h"
#include "http/problems.h"
#include "http/question.h"
#include "protocol/policy.h"

namespace holdfast::http {

namespace {

using platform::Approval;
using runs::DecisionOutcome;

// How long a request waits for the workflow's answer before it is told that the decision is on its way.
constexpr std::chrono::milliseconds kAnswerWithin{10'000};

// Of somebody's own inbox a page may be short, or empty, with more behind it: one request looks at so many,
// and reads so many at once.
constexpr std::uint32_t kMostLooked = 1000;
constexpr std::uint32_t kLookedAtOnce = 100;

// None: it is in another inbox.
Result<std::optional<Json>> row_in(ApiContext& context, Inbox& inbox, const Approval& approval) {
  const auto of_teams = inbox.is_of_teams(approval);
  if (!of_teams) return fail(of_teams.error());
  if (!*of_teams) return std::optional<Json>();
  auto terms = terms_json(context.store(), approval);
  if (!terms) return fail(terms.error());
  if (!inbox.may_be_for(approval, *terms)) return std::optional<Json>();
  if (Status status = add_votes(context.store(), approval, *terms); !status.ok()) return fail(status);
  if (!inbox.is_for(*terms)) return std::optional<Json>();
  Json row = approval_json(approval);
  row.update(*terms);
  return std::optional<Json>(std::move(row));
}

Response page_of(ApiContext& context, const Request& request, platform::ApprovalFilter filter, Inbox& inbox) {
  const std::uint32_t limit = filter.limit;
  const bool finds_all = inbox.finds_all(filter);
  const std::uint32_t most = finds_all ? limit : kMostLooked;
  filter.limit = finds_all ? limit : kLookedAtOnce;
  Json rows = Json::array();
  bool more = !inbox.is_nobodys();
  for (std::uint32_t looked = 0; more && rows.size() < limit && looked < most;) {
    const auto approvals = inbox.page(filter);
    if (!approvals) return Problem::from(approvals.error()).response();
    more = approvals->size() == filter.limit;
    for (const Approval& approval : *approvals) {
      if (rows.size() == limit) {
        more = true;
        break;
      }
      ++looked;
      filter.after = approval.id;
      auto row = row_in(context, inbox, approval);
      if (!row) return Problem::from(row.error()).response();
      if (*row) rows.push_back(std::move(**row));
    }
  }
  return json_response(
      {{"approvals", std::move(rows)}, {"next_cursor", next_cursor(request.path, more ? filter.after : "")}});
}

Response list_approvals(ApiContext& context, Request& request) {
  platform::ApprovalFilter filter;
  auto limit = number_parameter(request, "limit", 100, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  filter.limit = *limit;
  if (auto name = request.query_value("status"); name && *name != "all") {
    filter.status = platform::approval_status(*name);
    if (!filter.status) {
      return Problem(400, "invalid_parameter", fmt::format("there is no status '{}'", *name))
          .hint("pending, approved, edited, answered, rejected, expired or all")
          .response();
    }
  }
  filter.run = std::string(request.query_value("run").value_or(""));
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  filter.after = *after;
  auto inbox = Inbox::of(context, request);
  if (!inbox) return inbox.error().response();
  return page_of(context, request, filter, *inbox);
}

Response shown(ApiContext& context, const Approval& approval) {
  Json out = approval_json(approval);
  const Status status = add_terms(context.store(), approval, out);
  return status.ok() ? json_response(out) : Problem::from(status).response();
}

Response show_approval(ApiContext& context, Request& request) {
  auto approval = context.runs().approval(std::string(request.param("id")));
  return approval ? shown(context, *approval) : problem_of(approval.error()).response();
}

// Why a decision is not taken.
Problem refusal(const runs::Decided& decided) {
  const Approval& approval = decided.approval;
  std::string json = dump_json(approval_json(approval));
  auto time = [](const std::optional<WallTime>& at) { return at ? iso_time(*at) : "an unknown time"; };
  switch (decided.outcome) {
    case DecisionOutcome::kExpired:
      return Problem(410, "approval_expired",
                     fmt::format("the approval expired at {}", time(approval.expires_at)))
          .member("approval", json);
    case DecisionOutcome::kAlreadyDecided:
      return Problem(409, "approval_already_decided",
                     fmt::format("already {} by {} at {}", to_string(approval.status),
                                 approval.decided_by.empty() ? "someone" : approval.decided_by,
                                 time(approval.decided_at)))
          .member("approval", json);
    default:
      return Problem(409, "decision_refused", decided.why)
          .hint("read the approval again")
          .member("approval", json);
  }
}

std::expected<runs::DecisionRequest, Problem> decision_of(const Request& request) {
  auto body = json_body(
      request, {"decision", "arguments", "answer", "arguments_sha256", "comment", "decided_by", "scope"});
  if (!body) return std::unexpected(body.error());
  auto word = string_member(*body, "decision", 20);
  if (!word) return std::unexpected(word.error());
  auto sha = string_member(*body, "arguments_sha256", 100);
  if (!sha) return std::unexpected(sha.error());
  auto comment = string_member(*body, "comment", 4000);
  if (!comment) return std::unexpected(comment.error());
  auto by = string_member(*body, "decided_by", runs::kMaxIdBytes);
  if (!by) return std::unexpected(by.error());

  auto scope = string_member(*body, "scope", 20);
  if (!scope) return std::unexpected(scope.error());

  auto kind = protocol::decision_kind_by_name(*word);
  if (!kind) {
    return std::unexpected(Problem(400, "invalid_field", fmt::format("'decision' is '{}'", *word))
                               .hint("approve, reject, edit or answer"));
  }
  const bool takes_arguments =
      *kind == protocol::DecisionKind::kApprove || *kind == protocol::DecisionKind::kEdit;
  if (sha->empty() && takes_arguments) {
    return std::unexpected(
        Problem(400, "missing_field", "'arguments_sha256' is missing: of the arguments that you saw")
            .hint("send the approval's arguments_sha256 back"));
  }
  const bool for_run = *scope == protocol::kScopeRun;
  if (!scope->empty() && *scope != "call" && (!for_run || *kind != protocol::DecisionKind::kApprove)) {
    return std::unexpected(Problem(400, "invalid_field", fmt::format("'scope' is '{}'", *scope))
                               .hint("call, or with the decision approve: run"));
  }
  runs::DecisionRequest decision;
  if (for_run) decision.scope = *scope;
  decision.decision = *kind;
  bool has_arguments = body->contains("arguments") && !(*body)["arguments"].is_null();
  if (has_arguments != (*kind == protocol::DecisionKind::kEdit)) {
    return std::unexpected(
        Problem(400, "invalid_field", "'arguments' belong to the decision 'edit', and to no other"));
  }
  if (has_arguments) {
    if (!(*body)["arguments"].is_object()) {
      return std::unexpected(Problem(400, "invalid_field", "'arguments' must be an object"));
    }
    // Keys sorted: the form in which arguments are stored and hashed.
    decision.edited_arguments = dump_json(nlohmann::json((*body)["arguments"]));
  }
  const bool answers = *kind == protocol::DecisionKind::kAnswer;
  if (answers != body->contains("answer") || (answers && !(*body)["answer"].is_object())) {
    return std::unexpected(Problem(
        400, "invalid_field", "'answer' is an object and belongs to the decision 'answer', and to no other"));
  }
  if (answers) decision.edited_arguments = dump_json(nlohmann::json((*body)["answer"]));
  decision.approval = std::string(request.param("id"));
  decision.arguments_sha256 = *sha;
  decision.comment = *comment;
  decision.decided_by = actor_of(request, *by);
  decision.idempotency_key = std::string(request.header("idempotency-key"));
  return decision;
}

// A person whose edit breaks schema or policy is told at once; the run would only tell the model.
std::optional<Problem> refused_edit(ApiContext& context, const runs::DecisionRequest& decision) {
  if (decision.decision != protocol::DecisionKind::kEdit || !context.deps.check_edit) return std::nullopt;
  const auto approval = context.runs().approval(decision.approval);
  if (!approval || approval->status != platform::ApprovalStatus::kPending) return std::nullopt;
  const Status status = context.deps.check_edit(*approval, decision.edited_arguments);
  if (status.ok()) return std::nullopt;
  if (status.code() == Code::kFailedPrecondition) {
    return Problem(422, "edit_denied",
                   fmt::format("the agent's approval rules deny this call ({})", status.message()))
        .hint("nothing was decided; edit again, approve or reject");
  }
  return Problem(422, "invalid_edit", status.message())
      .hint("nothing was decided; 'arguments' are all arguments of the call");
}

// A question takes an answer of its form from those who were asked.
std::optional<Problem> refused_answer(ApiContext& context, const Request& request,
                                      runs::DecisionRequest& decision) {
  const auto approval = context.runs().approval(decision.approval);
  if (!approval || approval->status != platform::ApprovalStatus::kPending) return std::nullopt;
  const auto question = question_of(*approval);
  if (!question) return std::nullopt;
  if (auto refused = not_asked(context, request, *question, decision.decided_by)) return refused;
  if (decision.decision != protocol::DecisionKind::kAnswer) return std::nullopt;
  nlohmann::json answer = parse_json(decision.edited_arguments);
  if (auto refused = not_of_form(context, *approval, *question, answer)) return refused;
  decision.edited_arguments = dump_json(answer);
  return std::nullopt;
}

void decide(ApiContext& context, Request& request, Responder responder) {
  auto decision = decision_of(request);
  if (!decision) return responder.reply(decision.error().response());
  if (auto refused = refused_edit(context, *decision)) return responder.reply(refused->response());
  if (auto refused = refused_answer(context, request, *decision)) return responder.reply(refused->response());
  context.runs().decide(*decision, kAnswerWithin,
                        [&context, responder = std::move(responder)](Result<runs::Decided> decided) mutable {
                          responder.reply(decided_response(context, decided));
                        });
}

// A file for an answer, as the body; `field` names the part of the form that it is for.
Response take_file(ApiContext& context, Request& request) {
  const auto approval = context.runs().approval(std::string(request.param("id")));
  if (!approval) return problem_of(approval.error()).response();
  const auto question = question_of(*approval);
  if (!question || approval->status != platform::ApprovalStatus::kPending)
    return Problem(409, "not_asked", "this is no open question").response();
  if (auto refused = not_asked(context, request, *question, actor_of(request, identity::kLocalName)))
    return refused->response();
  const std::string name(request.query_value("field").value_or(""));
  const auto fields = protocol::file_fields(question->form);
  const auto field = std::ranges::find(fields, name, &protocol::FileField::name);
  if (field == fields.end()) {
    return Problem(400, "invalid_parameter",
                   fmt::format("the form asks for no file '{}'", bounded_text(name, 100)))
        .hint("`field` is a property of `question.form` with `format: file`")
        .response();
  }
  auto kept = keep_file(context, *approval, *field, request.body, request.query_value("name").value_or(""));
  return kept ? json_response(*kept, 201) : kept.error().response();
}

}  // namespace

Response decided_response(ApiContext& context, const Result<runs::Decided>& decided) {
  if (!decided) return problem_of(decided.error()).response();
  switch (decided->outcome) {
    case DecisionOutcome::kTaken: {
      Json out = approval_json(decided->approval);
      if (Status status = add_terms(context.store(), decided->approval, out); !status.ok())
        return Problem::from(status).response();
      if (decided->need > 0) out["have"] = decided->have;  // which the run may not have noted yet
      return json_response(out);
    }
    case DecisionOutcome::kSent:
      return json_response({{"approval", approval_json(decided->approval)},
                            {"decision", "sent"},
                            {"detail", "the decision is stored; the run has not answered yet"}},
                           202);
    default: return refusal(*decided).response();
  }
}

void add_approval_routes(Router& router, ApiContext& context) {
  router.add("POST", "/api/v1/approvals/{id}/files", Permission::kDecide, context.answering(take_file),
             {"field", "name"});
  router.add("GET", "/api/v1/approvals", Permission::kRead, context.answering(list_approvals),
             {"status", "run", "for", "team", "limit", "cursor"});
  router.add("GET", "/api/v1/approvals/{id}", Permission::kRead, context.answering(show_approval));
  router.add("POST", "/api/v1/approvals/{id}/decision", Permission::kDecide, context.blocking(decide));
}

}  // namespace holdfast::http
