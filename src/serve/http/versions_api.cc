// /api/v1/agents/{name}/versions and /diff: what an agent was, and what changed between two of its versions.

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_diff.h"
#include "http/agent_json.h"
#include "http/api_context.h"
#include "http/problems.h"
#include "platform/find_version.h"

namespace holdfast::http {

namespace {

using platform::Definition;

constexpr std::uint32_t kVersionsPage = 50;

Problem no_version(ApiContext& context, std::string_view name, const Status& status) {
  if (status.code() != Code::kNotFound) return Problem::from(status);
  if (!context.store().current_definition(name)) {
    return Problem(404, "agent_not_found", fmt::format("there is no agent '{}'", name))
        .hint("GET /api/v1/agents lists them");
  }
  return Problem(404, "version_not_found", status.message())
      .hint(fmt::format("GET /api/v1/agents/{}/versions lists them, /labels the labels", name));
}

std::expected<Definition, Problem> version_at(ApiContext& context, std::string_view name,
                                              std::string_view version) {
  auto found = platform::find_version(context.store(), name, version);
  if (!found) return std::unexpected(no_version(context, name, found.error()));
  return *std::move(found);
}

// Of each label the version that it names.
Json labels_of(const std::vector<platform::Label>& labels, const std::string& version) {
  Json out = Json::array();
  for (const platform::Label& label : labels) {
    if (label.hash == version) out.push_back(label.label);
  }
  return out;
}

Response list_versions(ApiContext& context, Request& request) {
  const std::string_view name = request.param("name");
  auto limit = number_parameter(request, "limit", kVersionsPage, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  auto versions = context.store().definition_versions(name, *limit, *after);
  if (!versions) return Problem::from(versions.error()).response();
  if (versions->empty() && after->empty())
    return no_version(context, name, Status(Code::kNotFound, "it has none")).response();
  auto labels = context.store().labels(name);
  if (!labels) return Problem::from(labels.error()).response();
  Json rows = Json::array();
  for (const Definition& version : *versions) {
    Json row = definition_json(version, false);
    row["labels"] = labels_of(*labels, version.hash);
    rows.push_back(std::move(row));
  }
  Json next = next_cursor(request.path, versions->size() == *limit ? versions->back().hash : "");
  return json_response({{"versions", std::move(rows)}, {"next_cursor", std::move(next)}});
}

Response show_version(ApiContext& context, Request& request) {
  const std::string_view name = request.param("name");
  auto found = version_at(context, name, request.param("version"));
  if (!found) return found.error().response();
  auto labels = context.store().labels(name);
  if (!labels) return Problem::from(labels.error()).response();
  Json out = definition_json(*found, true);
  out["labels"] = labels_of(*labels, found->hash);
  return json_response(out);
}

// Without `from` and `to`: the current version.
Response diff_versions(ApiContext& context, Request& request) {
  const std::string_view name = request.param("name");
  auto from = version_at(context, name, request.query_value("from").value_or(""));
  if (!from) return from.error().response();
  auto to = version_at(context, name, request.query_value("to").value_or(""));
  if (!to) return to.error().response();
  const auto before = parse_json<nlohmann::json>(from->text);
  const auto after = parse_json<nlohmann::json>(to->text);
  if (before.is_discarded() || after.is_discarded())
    return Problem(422, "not_comparable", "a version that is no JSON cannot be compared").response();
  Json changes = Json::array();
  for (const JsonChange& change : json_diff(before, after)) changes.push_back(Json(to_json(change)));
  return json_response({{"from", from->hash}, {"to", to->hash}, {"changes", std::move(changes)}});
}

}  // namespace

void add_version_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/agents/{name}/versions", Permission::kRead, context.answering(list_versions),
             {"limit", "cursor"});
  router.add("GET", "/api/v1/agents/{name}/versions/{version}", Permission::kRead,
             context.answering(show_version));
  router.add("GET", "/api/v1/agents/{name}/diff", Permission::kRead, context.answering(diff_versions),
             {"from", "to"});
}

}  // namespace holdfast::http
