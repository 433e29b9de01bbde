// /api/v1/usage: what was used and what it cost, by agent, model, version, tool or day. And the budgets of a
// run.

#include <fmt/format.h>

#include "base/iso_time.h"
#include "base/money.h"
#include "http/api_context.h"
#include "http/problems.h"
#include "http/usage_json.h"
#include "platform/budget_rules.h"

namespace holdfast::http {

namespace {

constexpr std::int64_t kDaysWithout = 29;  // before today, when `from` is left out

// ---- GET /usage

std::expected<std::int64_t, Problem> day_parameter(const Request& request, std::string_view name,
                                                   std::int64_t fallback) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  const auto time = parse_iso_time(fmt::format("{}T00:00:00Z", *text));
  if (time) return platform::rules::day_of(*time);
  return std::unexpected(Problem(400, "invalid_parameter", fmt::format("'{}' is no day: '{}'", name, *text))
                             .hint("a day of UTC, such as 2026-11-28"));
}

std::expected<platform::UsageQuery, Problem> query_of(const Request& request, std::int64_t today) {
  platform::UsageQuery query;
  const std::string by(request.query_value("by").value_or("agent"));
  const auto known = platform::usage_by(by);
  if (!known) {
    return std::unexpected(Problem(400, "invalid_parameter", fmt::format("'by' cannot be '{}'", by))
                               .hint("agent, model, version, tool or day"));
  }
  query.by = *known;
  auto to = day_parameter(request, "to", today);
  if (!to) return std::unexpected(to.error());
  auto from = day_parameter(request, "from", *to - kDaysWithout);
  if (!from) return std::unexpected(from.error());
  query.from = *from;
  query.to = *to;
  if (query.from > query.to)
    return std::unexpected(Problem(400, "invalid_parameter", "'from' is behind 'to'"));
  return query;
}

Response show_usage(ApiContext& context, Request& request) {
  const std::int64_t today = platform::rules::day_of(context.deps.environment->clock().now());
  auto query = query_of(request, today);
  if (!query) return query.error().response();
  auto report = context.store().usage_report(*query);
  if (!report) return problem_of(report.error()).response();
  return json_response(report_json(*query, *report));
}

// ---- POST /runs/{id}/budget

std::expected<std::optional<std::int64_t>, Problem> count_member(const Json& body, const char* name) {
  const auto member = body.find(name);
  if (member == body.end() || member->is_null()) return std::optional<std::int64_t>();
  constexpr std::uint64_t kMost = std::uint64_t{1} << 53;
  if (!member->is_number_unsigned() || member->get<std::uint64_t>() > kMost) {
    return std::unexpected(
        Problem(400, "invalid_field", fmt::format("'{}' must be a whole number, 0 or more", name)));
  }
  return std::optional<std::int64_t>(member->get<std::int64_t>());
}

std::expected<std::optional<std::int64_t>, Problem> money_member(const Json& body) {
  const auto member = body.find("money");
  if (member == body.end() || member->is_null()) return std::optional<std::int64_t>();
  if (member->is_string()) {
    if (auto nanos = parse_usd(member->get<std::string>())) return std::optional<std::int64_t>(*nanos);
  }
  return std::unexpected(Problem(400, "invalid_field", "'money' must be an amount such as \"5.00 USD\""));
}

std::expected<platform::Raise, Problem> raise_of(const Request& request) {
  auto body = json_body(request, {"tokens", "money", "calls", "tool_calls", "depth", "wall_time_ms"});
  if (!body) return std::unexpected(body.error());
  platform::Raise out;
  out.run = std::string(request.param("id"));
  out.by = actor_of(request, identity::kLocalName);
  const std::pair<const char*, std::optional<std::int64_t>*> counts[] = {
      {"tokens", &out.limits.tokens},
      {"calls", &out.limits.calls},
      {"tool_calls", &out.limits.tool_calls},
      {"depth", &out.limits.depth}};
  for (const auto& [name, into] : counts) {
    auto read = count_member(*body, name);
    if (!read) return std::unexpected(read.error());
    *into = *read;
  }
  auto money = money_member(*body);
  if (!money) return std::unexpected(money.error());
  out.limits.money = *money;
  auto wall_time = count_member(*body, "wall_time_ms");
  if (!wall_time) return std::unexpected(wall_time.error());
  constexpr std::int64_t kLongestMs = 3'162'240'000'000;  // ten years of 366 days
  if (*wall_time && **wall_time > kLongestMs)
    return std::unexpected(Problem(400, "invalid_field", "'wall_time_ms' is longer than ten years"));
  if (*wall_time) out.wall_time = std::chrono::milliseconds(**wall_time);
  if (!out.limits.any() && !out.wall_time) {
    return std::unexpected(Problem(400, "missing_field", "no budget is named")
                               .hint("tokens, money, calls, tool_calls, depth or wall_time_ms"));
  }
  return out;
}

Response raise_budget(ApiContext& context, Request& request) {
  auto wanted = raise_of(request);
  if (!wanted) return wanted.error().response();
  auto account = context.runs().raise_budget(*wanted);
  if (!account) return problem_of(account.error()).response();
  return json_response({{"id", wanted->run}, {"budgets", budgets_json(*account)}});
}

}  // namespace

void add_usage_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/usage", Permission::kRead, context.answering(show_usage), {"by", "from", "to"});
  router.add("POST", "/api/v1/runs/{id}/budget", Permission::kRun, context.answering(raise_budget));
}

}  // namespace holdfast::http
