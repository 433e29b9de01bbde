// /api/v1/conversations: what was said, and whose turn it is.

#include <fmt/format.h>

#include <limits>

#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"

namespace holdfast::http {

namespace {

// The message as it is stored (src/agents/model/message.h), and its place before that.
Json message_json(const platform::Message& message) {
  Json out = {{"sequence", message.sequence},
              {"branch", message.branch},
              {"at", iso_time(message.at)},
              {"sha256", message.chain_sha256}};
  const Json stored = parse_json<Json>(message.json);
  if (stored.is_object()) {
    for (const auto& [name, value] : stored.items()) {
      if (!out.contains(name)) out[name] = value;
    }
  } else {
    out["content"] = message.json;
  }
  return out;
}

Json turn_json(const platform::Turn& turn) {
  return {{"run", turn.run}, {"came_at", iso_time(turn.at)}, {"in_line", !turn.over}};
}

Response list_messages(ApiContext& context, Request& request) {
  runs::ConversationQuery query;
  query.conversation = std::string(request.param("id"));
  auto branch = number_parameter(request, "branch", 0, 0, std::numeric_limits<std::uint32_t>::max());
  if (!branch) return branch.error().response();
  query.branch = *branch;
  auto limit = number_parameter(request, "limit", query.limit, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  query.limit = *limit;
  auto after = place_parameter(request);
  if (!after) return after.error().response();
  query.after = *after;
  auto page = context.runs().conversation(query);
  if (!page) return problem_of(page.error()).response();
  Json messages = Json::array();
  for (const platform::Message& message : page->messages) messages.push_back(message_json(message));
  return json_response(
      {{"conversation", query.conversation},
       {"branch", page->head.branch},
       {"head", page->head.sequence},
       {"messages", std::move(messages)},
       {"next_cursor", next_cursor(request.path, page->next == 0 ? "" : std::to_string(page->next))}});
}

Response show_conversation(ApiContext& context, Request& request) {
  const std::string id(request.param("id"));
  auto limit = number_parameter(request, "limit", 50, 1, runs::kMaxRunsPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  auto turns = context.runs().turns(id, *after, *limit);
  if (!turns) return problem_of(turns.error()).response();
  auto page = context.runs().conversation({.conversation = id, .limit = 1});
  // Those who wait for their turn may be all that there is of it.
  if (!page && (turns->empty() || runs::run_fault(page.error()) != runs::RunFault::kConversationNotFound))
    return problem_of(page.error()).response();
  Json rows = Json::array();
  for (const platform::Turn& turn : *turns) rows.push_back(turn_json(turn));
  const bool more = turns->size() == *limit;
  return json_response({{"id", id},
                        {"messages", page ? page->head.sequence : 0},
                        {"runs", std::move(rows)},
                        {"next_cursor", next_cursor(request.path, more ? turns->back().run : "")}});
}

}  // namespace

void add_conversation_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/conversations/{id}", Permission::kRead, context.answering(show_conversation),
             {"limit", "cursor"});
  router.add("GET", "/api/v1/conversations/{id}/messages", Permission::kRead,
             context.answering(list_messages), {"branch", "limit", "cursor"});
}

}  // namespace holdfast::http
