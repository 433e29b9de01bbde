#include "http/usage_json.h"

#include <chrono>

#include "base/money.h"

namespace holdfast::http {

namespace {

using platform::Account;
using platform::UsageBy;

std::string day_text(std::int64_t day) {
  const WallTime time(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::days(day)));
  return iso_time(time).substr(0, 10);
}

// Of calls of which one has no price the cost is not known.
Json cost_json(const platform::UsageTotal& used) {
  if (used.calls > 0 && used.unpriced_calls == used.calls) return nullptr;
  Json out = {{"usd", format_dollars(used.cost)}};
  if (!used.price_as_of.empty()) out["price_as_of"] = used.price_as_of;
  if (used.unpriced_calls > 0) out["without_unpriced_calls"] = used.unpriced_calls;
  return out;
}

Json line_json(UsageBy by, const platform::UsageLine& line) {
  Json out = Json::object();
  switch (by) {
    case UsageBy::kAgent: out["agent"] = line.name; break;
    case UsageBy::kModel: out = {{"model", line.name}, {"provider", line.of}}; break;
    case UsageBy::kVersion: out = {{"version", line.name}, {"agent", line.of}}; break;
    case UsageBy::kTool: out = {{"tool", line.name}, {"agent", line.of}}; break;
    case UsageBy::kDay: out["day"] = day_text(line.day); break;
  }
  out.update(usage_json(line.used));
  return out;
}

Json of_limit(std::int64_t limit, std::int64_t used, std::int64_t held) {
  return {{"limit", limit}, {"used", used}, {"held", held}};
}

}  // namespace

Json usage_json(const platform::UsageTotal& used) {
  return {{"model_calls", used.calls},
          {"tool_calls", used.tool_calls},
          {"input_tokens", used.input_tokens},
          {"output_tokens", used.output_tokens},
          {"cached_input_tokens", used.cached_input_tokens},
          {"cache_write_tokens", used.cache_write_tokens},
          {"reasoning_tokens", used.reasoning_tokens},
          {"cost", cost_json(used)},
          {"unpriced_calls", used.unpriced_calls},
          {"uncounted_calls", used.uncounted_calls}};
}

Json bill_json(const platform::Bill& bill) {
  Json out = {{"run", bill.run},
              {"parent", bill.parent.empty() ? Json(nullptr) : Json(bill.parent)},
              {"agent", bill.agent},
              {"version", bill.version},
              {"status", bill.status},
              {"error_type", bill.error_type.empty() ? Json(nullptr) : Json(bill.error_type)},
              {"begun_at", iso_time(bill.begun_at)},
              {"ended_at", iso_time(bill.ended_at)}};
  out.update(usage_json(bill.used));
  out["unsettled_usd"] = format_dollars(bill.unsettled_cost);
  return out;
}

Json budgets_json(const Account& account) {
  const platform::BudgetLimits& limits = account.limits;
  Json out = Json::object();
  if (!limits.any()) return out;
  if (limits.tokens)
    out["tokens"] = of_limit(*limits.tokens, account.used.input_tokens + account.used.output_tokens,
                             account.reserved.tokens);
  if (limits.money) {
    out["money"] = {{"limit", format_dollars(*limits.money) + " USD"},
                    {"used", format_dollars(account.used.cost) + " USD"},
                    {"held", format_dollars(account.reserved.money) + " USD"}};
  }
  if (limits.calls) out["calls"] = of_limit(*limits.calls, account.used.calls, account.reserved.calls);
  if (limits.tool_calls) out["tool_calls"] = of_limit(*limits.tool_calls, account.used.tool_calls, 0);
  if (limits.depth) out["depth"] = {{"limit", *limits.depth}};
  if (limits.deadline) out["wall_time"] = {{"until", iso_time(*limits.deadline)}};
  out["on_budget"] = limits.park ? "park" : "fail";
  return out;
}

Json report_json(const platform::UsageQuery& query, const platform::UsageReport& report) {
  Json rows = Json::array();
  for (const platform::UsageLine& line : report.lines) rows.push_back(line_json(query.by, line));
  return {{"by", to_string(query.by)}, {"from", day_text(query.from)}, {"to", day_text(query.to)},
          {"rows", std::move(rows)},   {"more", report.more},          {"total", usage_json(report.total)}};
}

}  // namespace holdfast::http
