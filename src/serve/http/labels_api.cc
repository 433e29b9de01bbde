// /api/v1/agents/{name}/labels: which version is in production, who put it there, and moving it. A label
// moves only from where its mover saw it: the ETag is the number of its last move, and If-Match gives it
// back.

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "http/agent_json.h"
#include "http/api_context.h"
#include "http/problems.h"
#include "platform/find_version.h"

namespace holdfast::http {

namespace {

using platform::Label;
using platform::LabelHow;
using platform::LabelMove;

constexpr std::uint32_t kMovesPage = 50;
constexpr std::size_t kMaxCommentBytes = 4000;

Problem no_label(std::string_view name, std::string_view label) {
  return Problem(404, "label_not_found", fmt::format("agent '{}' has no label '{}'", name, label))
      .hint(fmt::format("GET /api/v1/agents/{}/labels lists them", name));
}

std::expected<std::uint64_t, Problem> number_of(std::string_view digits, std::string_view what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (!digits.empty() && error == std::errc() && end == digits.data() + digits.size()) return value;
  return std::unexpected(Problem(400, "invalid_header", fmt::format("{} is not an ETag of a label", what)));
}

// What the caller saw: the move that If-Match names, or none (0) by If-None-Match: *.
std::expected<std::uint64_t, Problem> seen_by(const Request& request) {
  const std::string_view match = request.header("if-match");
  const std::string_view none = request.header("if-none-match");
  if (match.empty() && none == "*") return 0;
  if (!match.empty() && none.empty() && match.size() > 2 && match.front() == '"' && match.back() == '"')
    return number_of(match.substr(1, match.size() - 2), "If-Match");
  if (!match.empty() || !none.empty()) {
    return std::unexpected(
        Problem(400, "invalid_header", "give If-Match with the label's ETag, or If-None-Match: *"));
  }
  return std::unexpected(
      Problem(428, "precondition_required", "the request does not say what it saw")
          .hint("If-Match: the label's ETag; If-None-Match: * when there is no such label"));
}

Response list_labels(ApiContext& context, Request& request) {
  const std::string_view name = request.param("name");
  auto labels = context.store().labels(name);
  if (!labels) return Problem::from(labels.error()).response();
  if (labels->empty() && !context.store().current_definition(name)) {
    return Problem(404, "agent_not_found", fmt::format("there is no agent '{}'", name))
        .hint("GET /api/v1/agents lists them")
        .response();
  }
  Json rows = Json::array();
  for (const Label& label : *labels) rows.push_back(label_json(label));
  return json_response({{"labels", std::move(rows)}});
}

Response with_etag(Response response, const Label& label) {
  response.headers.push_back({"ETag", etag_of(label)});
  return response;
}

Response show_label(ApiContext& context, Request& request) {
  const std::string_view name = request.param("name");
  const std::string_view label = request.param("label");
  auto limit = number_parameter(request, "limit", kMovesPage, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  auto cursor = cursor_parameter(request);
  if (!cursor) return cursor.error().response();
  std::uint64_t before = 0;
  if (!cursor->empty()) {
    auto number = number_of(*cursor, "the cursor");
    if (!number) return Problem(400, "invalid_cursor", "the cursor is not one of ours").response();
    before = *number;
  }
  auto found = context.store().label(name, label);
  if (!found) return Problem::from(found.error()).response();
  if (!*found) return no_label(name, label).response();
  auto moves = context.store().label_moves(name, label, before, *limit);
  if (!moves) return Problem::from(moves.error()).response();
  Json out = label_json(**found);
  out["moves"] = Json::array();
  for (const Label& move : *moves) out["moves"].push_back(label_json(move));
  const bool more = moves->size() == *limit && moves->back().move > 1;
  out["next_cursor"] = next_cursor(request.path, more ? std::to_string(moves->back().move) : "");
  return with_etag(json_response(out), **found);
}

// What is the same for each way of moving a label.
std::expected<LabelMove, Problem> move_of(const Request& request, const Json& body) {
  LabelMove move;
  move.agent = std::string(request.param("name"));
  move.label = std::string(request.param("label"));
  auto seen = seen_by(request);
  if (!seen) return std::unexpected(seen.error());
  move.seen = *seen;
  auto by = string_member(body, "by", runs::kMaxIdBytes);
  if (!by) return std::unexpected(by.error());
  move.actor = actor_of(request, *by);
  auto comment = string_member(body, "comment", kMaxCommentBytes);
  if (!comment) return std::unexpected(comment.error());
  move.comment = *comment;
  return move;
}

Problem not_moved(const LabelMove& move, const Status& status) {
  switch (status.code()) {
    case Code::kAborted:
      return Problem(412, "label_moved", status.message())
          .hint("nothing was changed; read the label again and decide anew");
    case Code::kFailedPrecondition: return Problem(409, "nothing_to_roll_back", status.message());
    case Code::kNotFound:
      if (move.how == LabelHow::kRolledBack) return no_label(move.agent, move.label);
      return Problem(404, "version_not_found", status.message());
    case Code::kInvalidArgument: return Problem(400, "invalid_label", status.message());
    default: return Problem::from(status);
  }
}

Response moved(ApiContext& context, const LabelMove& move) {
  auto done = context.store().move_label(move);
  if (!done) return not_moved(move, done.error()).response();
  Json out = label_json(done->label);
  out["moved"] = done->moved;
  return with_etag(json_response(out, done->moved && done->label.move == 1 ? 201 : 200), done->label);
}

// {"version": ...} or {"from": LABEL}; with both the label must still name that version.
Response put_label(ApiContext& context, Request& request) {
  auto body = json_body(request, {"version", "from", "by", "comment"});
  if (!body) return body.error().response();
  auto move = move_of(request, *body);
  if (!move) return move.error().response();
  auto version = string_member(*body, "version", 100);
  if (!version) return version.error().response();
  auto from = string_member(*body, "from", 100);
  if (!from) return from.error().response();
  if (version->empty() && from->empty()) {
    return Problem(400, "missing_field", "'version' or 'from' is missing")
        .hint("the version to name, or the label to take it from")
        .response();
  }
  move->source = *from;
  move->how = from->empty() ? LabelHow::kSet : LabelHow::kPromoted;
  auto target = platform::find_version(context.store(), move->agent, version->empty() ? *from : *version);
  if (!target && target.error().code() == Code::kInvalidArgument)
    return Problem(400, "ambiguous_version", target.error().message()).response();
  if (!target) return not_moved(*move, target.error()).response();
  move->hash = target->hash;
  return moved(context, *move);
}

Response roll_back(ApiContext& context, Request& request) {
  auto body = json_body(request, {"by", "comment"}, true);
  if (!body) return body.error().response();
  auto move = move_of(request, *body);
  if (!move) return move.error().response();
  move->how = LabelHow::kRolledBack;
  return moved(context, *move);
}

}  // namespace

void add_label_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/agents/{name}/labels", Permission::kRead, context.answering(list_labels));
  router.add("GET", "/api/v1/agents/{name}/labels/{label}", Permission::kRead, context.answering(show_label),
             {"limit", "cursor"});
  router.add("PUT", "/api/v1/agents/{name}/labels/{label}", Permission::kDeploy,
             context.answering(put_label));
  router.add("POST", "/api/v1/agents/{name}/labels/{label}/rollback", Permission::kDeploy,
             context.answering(roll_back));
}

}  // namespace holdfast::http
