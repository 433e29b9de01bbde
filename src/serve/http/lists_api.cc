// Lists beside that of runs: how many began when (/api/v1/run-histogram), conversations, budgets.

#include "http/api_context.h"
#include "http/problems.h"
#include "http/run_json.h"
#include "http/usage_json.h"

namespace holdfast::http {

namespace {

// ---- GET /run-histogram

Response show_histogram(ApiContext& context, Request& request) {
  runs::HistogramQuery query;
  query.agent = std::string(request.query_value("agent").value_or(""));
  auto range = range_parameters(request);
  if (!range) return range.error().response();
  query.range = *range;
  auto bins = number_parameter(request, "bins", query.bins, 1, runs::kMaxBins);
  if (!bins) return bins.error().response();
  query.bins = *bins;
  auto found = context.runs().histogram(query);
  if (!found) return problem_of(found.error()).response();
  Json rows = Json::array();
  for (const runs::RunHistogram::Bin& bin : found->bins)
    rows.push_back({{"from", iso_time(bin.from)}, {"total", bin.total}, {"counts", bin.counts}});
  return json_response({{"from", iso_time(found->from)},
                        {"to", iso_time(found->to)},
                        {"width_seconds", found->width.count()},
                        {"total", found->total},
                        {"bins", std::move(rows)}});
}

// ---- GET /conversations

Response list_conversations(ApiContext& context, Request& request) {
  auto limit = number_parameter(request, "limit", 50, 1, runs::kMaxRunsPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  auto page = context.runs().conversations(*after, *limit);
  if (!page) return problem_of(page.error()).response();
  Json rows = Json::array();
  for (const runs::ConversationSummary& one : page->conversations) {
    rows.push_back({{"id", one.row.id},
                    {"runs", one.row.runs},
                    {"updated_at", iso_time(one.row.at)},
                    {"newest", summary_json(one.newest)}});
  }
  return json_response(
      {{"conversations", std::move(rows)}, {"next_cursor", next_cursor(request.path, page->next)}});
}

// ---- GET /budgets

Json budget_json(const platform::BudgetRow& row) {
  const platform::Account& account = row.account;
  return {{"run", account.run},
          {"parent", account.parent.empty() ? Json(nullptr) : Json(account.parent)},
          {"agent", account.agent},
          {"version", account.version},
          {"begun_at", iso_time(account.at)},
          {"status", row.status.empty() ? Json(nullptr) : Json(row.status)},
          {"waiting", row.waiting},
          {"budgets", budgets_json(account)},
          {"spent", usage_json(account.used)}};
}

Response list_budgets(ApiContext& context, Request& request) {
  platform::BudgetFilter filter;
  auto limit = number_parameter(request, "limit", filter.limit, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  filter.limit = *limit;
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  filter.after = *after;
  const auto waiting = request.query_value("waiting").value_or("false");
  if (waiting != "true" && waiting != "false")
    return Problem(400, "invalid_parameter", "'waiting' is true or false").response();
  filter.waiting = waiting == "true";
  auto page = context.runs().budgets(filter);
  if (!page) return problem_of(page.error()).response();
  Json rows = Json::array();
  for (const platform::BudgetRow& row : *page) rows.push_back(budget_json(row));
  const bool more = page->size() == filter.limit;
  return json_response({{"budgets", std::move(rows)},
                        {"next_cursor", next_cursor(request.path, more ? page->back().account.run : "")}});
}

}  // namespace

void add_list_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/run-histogram", Permission::kRead, context.answering(show_histogram),
             {"agent", "from", "to", "bins"});
  router.add("GET", "/api/v1/conversations", Permission::kRead, context.answering(list_conversations),
             {"limit", "cursor"});
  router.add("GET", "/api/v1/budgets", Permission::kRead, context.answering(list_budgets),
             {"waiting", "limit", "cursor"});
}

}  // namespace holdfast::http
