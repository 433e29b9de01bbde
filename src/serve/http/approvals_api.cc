// /api/v1/approvals: what waits for a person, and the person's decision.

#include <fmt/format.h>

#include "base/ids.h"
#include "base/json.h"
#include "base/sha256.h"
#include "http/api_context.h"

namespace holdfast::http {

namespace {

using platform::Approval;
using platform::ApprovalStatus;
using platform::DecisionAttempt;

constexpr std::string_view kStatusNames[] = {"pending", "approved", "rejected", "expired", "edited"};
// How long a request waits for the workflow's answer before it is told that the decision is on its way.
constexpr std::chrono::milliseconds kAnswerWithin{10'000};

Response list_approvals(ApiContext& context, Request& request) {
  platform::ApprovalFilter filter;
  auto limit = number_parameter(request, "limit", 100, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  filter.limit = *limit;
  if (auto name = request.query_value("status"); name && *name != "all") {
    for (std::size_t i = 0; i < std::size(kStatusNames); ++i) {
      if (kStatusNames[i] == *name) filter.status = static_cast<ApprovalStatus>(i);
    }
    if (!filter.status) {
      return Problem(400, "invalid_parameter", fmt::format("there is no status '{}'", *name))
          .hint("pending, approved, edited, rejected, expired or all")
          .response();
    }
  }
  filter.run = std::string(request.query_value("run").value_or(""));
  if (auto cursor = request.query_value("cursor")) {
    auto after = from_base64url(*cursor);
    if (!after || after->empty())
      return Problem(400, "invalid_cursor", "the cursor is not one of ours").response();
    filter.after = *after;
  }
  auto approvals = context.store().approvals(filter);
  if (!approvals) return Problem::from(approvals.error()).response();
  Json rows = Json::array();
  for (const Approval& approval : *approvals) rows.push_back(approval_json(approval));
  Json next = approvals->size() == *limit ? Json(base64url(approvals->back().id)) : Json(nullptr);
  return json_response({{"approvals", std::move(rows)}, {"next_cursor", std::move(next)}});
}

Problem not_found(std::string_view id) {
  return Problem(404, "approval_not_found", fmt::format("there is no approval '{}'", id))
      .hint("GET /api/v1/approvals?status=pending lists what waits");
}

Response show_approval(ApiContext& context, Request& request) {
  auto approval = context.store().approval(request.param("id"));
  if (approval) return json_response(approval_json(*approval));
  return (approval.error().code() == Code::kNotFound ? not_found(request.param("id"))
                                                     : Problem::from(approval.error()))
      .response();
}

// Why a decision is not taken, told from the approval as it is now.
Problem refusal(ApiContext& context, const Approval& approval, std::string_view why) {
  std::string json = dump_json(approval_json(approval));
  if (approval.status == ApprovalStatus::kExpired ||
      (approval.status == ApprovalStatus::kPending && approval.expires_at &&
       *approval.expires_at <= context.deps.clock->now())) {
    return Problem(410, "approval_expired",
                   fmt::format("the approval expired at {}",
                               approval.expires_at ? iso_time(*approval.expires_at) : "an unknown time"))
        .member("approval", json);
  }
  if (approval.status != ApprovalStatus::kPending) {
    return Problem(409, "approval_already_decided",
                   fmt::format("already {} by {} at {}", approval_status_name(approval.status),
                               approval.decided_by.empty() ? "someone" : approval.decided_by,
                               approval.decided_at ? iso_time(*approval.decided_at) : "an unknown time"))
        .member("approval", json);
  }
  return Problem(409, "decision_refused", std::string(why))
      .hint("read the approval again")
      .member("approval", json);
}

std::expected<DecisionAttempt, Problem> attempt_of(ApiContext& context, const Request& request) {
  auto body = json_body(request, {"decision", "arguments", "arguments_sha256", "comment", "decided_by"});
  if (!body) return std::unexpected(body.error());
  auto decision = string_member(*body, "decision", 20);
  if (!decision) return std::unexpected(decision.error());
  auto sha = string_member(*body, "arguments_sha256", 100);
  if (!sha) return std::unexpected(sha.error());
  auto comment = string_member(*body, "comment", 4000);
  if (!comment) return std::unexpected(comment.error());
  auto by = string_member(*body, "decided_by", kMaxIdBytes);
  if (!by) return std::unexpected(by.error());

  DecisionAttempt attempt;
  if (*decision == "approve") {
    attempt.decision = ApprovalStatus::kApproved;
  } else if (*decision == "reject") {
    attempt.decision = ApprovalStatus::kRejected;
  } else if (*decision == "edit") {
    attempt.decision = ApprovalStatus::kEdited;
  } else {
    return std::unexpected(Problem(400, "invalid_field", fmt::format("'decision' is '{}'", *decision))
                               .hint("approve, reject or edit"));
  }
  bool has_arguments = body->contains("arguments") && !(*body)["arguments"].is_null();
  if (has_arguments != (attempt.decision == ApprovalStatus::kEdited)) {
    return std::unexpected(
        Problem(400, "invalid_field", "'arguments' belong to the decision 'edit', and to no other"));
  }
  if (has_arguments) {
    if (!(*body)["arguments"].is_object()) {
      return std::unexpected(Problem(400, "invalid_field", "'arguments' must be an object"));
    }
    // Keys sorted: the form in which arguments are stored and hashed.
    attempt.edited_arguments = nlohmann::json((*body)["arguments"]).dump();
  }
  attempt.approval = std::string(request.param("id"));
  attempt.arguments_sha256 = *sha;
  attempt.comment = *comment;
  attempt.decided_by = *by;
  std::string_view key = request.header("idempotency-key");
  attempt.update_id = key.empty() ? "decision-" + new_uuid(*context.deps.random)
                                  : "decision-" + sha256_hex(fmt::format("{}\n{}", attempt.approval, key));
  return attempt;
}

// Answers once: with the workflow's answer, or with "on its way" when that takes long.
class OneAnswer {
 public:
  explicit OneAnswer(Responder responder) : responder_(std::move(responder)) {}
  void reply(Response response) {
    if (!answered_.exchange(true)) responder_.reply(std::move(response));
  }

 private:
  std::atomic<bool> answered_ = false;
  Responder responder_;
};

void decide(ApiContext& context, Request& request, Responder responder) {
  auto attempt = attempt_of(context, request);
  if (!attempt) return responder.reply(attempt.error().response());
  auto approval = context.store().begin_decision(*attempt);
  if (!approval) {
    if (approval.error().code() == Code::kNotFound)
      return responder.reply(not_found(attempt->approval).response());
    auto now = context.store().approval(attempt->approval);
    if (!now || approval.error().code() != Code::kFailedPrecondition) {
      return responder.reply(Problem::from(approval.error()).response());
    }
    return responder.reply(refusal(context, *now, approval.error().message()).response());
  }
  if (approval->status != ApprovalStatus::kPending) {
    // A repeat, under the same key, of an attempt that has its answer.
    bool won = approval->status == attempt->decision && approval->decided_by == attempt->decided_by;
    return responder.reply(won ? json_response(approval_json(*approval))
                               : refusal(context, *approval, "the decision was refused").response());
  }
  auto answer = std::make_shared<OneAnswer>(std::move(responder));
  context.decisions->send(*approval, *attempt, [&context, answer](Result<DecisionSender::Answer> result) {
    if (!result) return answer->reply(Problem::from(result.error()).response());
    if (result->won) return answer->reply(json_response(approval_json(result->approval)));
    answer->reply(refusal(context, result->approval, result->error_message).response());
  });
  context.deps.after(kAnswerWithin, [answer, json = approval_json(*approval)] {
    answer->reply(json_response({{"approval", json},
                                 {"decision", "sent"},
                                 {"detail", "the decision is stored; the run has not answered yet"}},
                                202));
  });
}

}  // namespace

std::string_view approval_status_name(ApprovalStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

Json approval_json(const Approval& approval) {
  Json out = {{"id", approval.id},
              {"run", approval.run},
              {"agent", approval.agent},
              {"tool", approval.tool},
              {"arguments", parse_or_string<Json>(approval.arguments)},
              {"arguments_sha256", approval.arguments_sha256},
              {"reason", approval.reason},
              {"status", approval_status_name(approval.status)},
              {"requested_at", iso_time(approval.requested_at)},
              {"expires_at", approval.expires_at ? Json(iso_time(*approval.expires_at)) : Json(nullptr)}};
  if (approval.status != ApprovalStatus::kPending) {
    out["decided_by"] = approval.decided_by;
    out["decided_at"] = approval.decided_at ? Json(iso_time(*approval.decided_at)) : Json(nullptr);
    out["comment"] = approval.comment;
  }
  if (!approval.edited_arguments.empty())
    out["edited_arguments"] = parse_or_string<Json>(approval.edited_arguments);
  return out;
}

void add_approval_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/approvals", context.answering(list_approvals),
             {"status", "run", "limit", "cursor"});
  router.add("GET", "/api/v1/approvals/{id}", context.answering(show_approval));
  router.add("POST", "/api/v1/approvals/{id}/decision", context.blocking(decide));
}

}  // namespace holdfast::http
