#include "definition/budgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/money.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

constexpr std::array<std::string_view, 6> kKeys = {"tokens",     "money", "calls",
                                                   "tool_calls", "depth", "wall_time"};
constexpr std::int64_t kMostTokens = 1'000'000'000'000;
constexpr std::int64_t kMostCalls = 1'000'000'000;
constexpr std::int64_t kMostDepth = 8;  // agents call each other no deeper
constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24) * 3660;

std::optional<std::int64_t> number(spec::MapReader& in, std::string_view key, std::int64_t least,
                                   std::int64_t most) {
  const std::int64_t value = in.integer(key, least, least, most);
  return in.has(key) ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> money(spec::MapReader& in) {
  const std::string text = in.text("money");
  if (!in.has("money")) return std::nullopt;
  if (text.empty()) return std::nullopt;  // a problem by now
  auto nanos = parse_usd(text);
  if (!nanos) {
    in.problem("money", nanos.error().message());
    return std::nullopt;
  }
  if (*nanos == 0) in.problem("money", "must be more than nothing");
  return *nanos;
}

}  // namespace

BudgetSpec parse_budgets(spec::MapReader& spec) {
  spec::MapReader in = spec.map("budgets");
  BudgetSpec out;
  out.tokens = number(in, "tokens", 1, kMostTokens);
  out.money = money(in);
  out.calls = number(in, "calls", 1, kMostCalls);
  out.tool_calls = number(in, "tool_calls", 0, kMostCalls);
  out.depth = number(in, "depth", 0, kMostDepth);
  const auto wall_time =
      in.duration("wall_time", std::chrono::seconds(1), std::chrono::milliseconds(100), kLongest);
  if (in.has("wall_time")) out.wall_time = wall_time;
  out.park = in.choice("on_budget", {"fail", "park"}).value_or(0) == 1;
  const auto is_named = [&in](std::string_view key) { return in.has(key); };
  if (spec.has("budgets") && std::ranges::none_of(kKeys, is_named))
    spec.problem("budgets", "names no budget: tokens, money, calls, tool_calls, depth or wall_time");
  in.finish();
  return out;
}

nlohmann::json budgets_json(const BudgetSpec& budgets) {
  if (!budgets.any()) return nullptr;
  nlohmann::json out = {{"on_budget", budgets.park ? "park" : "fail"}};
  if (budgets.tokens) out["tokens"] = *budgets.tokens;
  if (budgets.money) out["money"] = format_dollars(*budgets.money) + " USD";
  if (budgets.calls) out["calls"] = *budgets.calls;
  if (budgets.tool_calls) out["tool_calls"] = *budgets.tool_calls;
  if (budgets.depth) out["depth"] = *budgets.depth;
  if (budgets.wall_time) out["wall_time"] = spec::format_duration(*budgets.wall_time);
  return out;
}

std::string_view budgets_schema() {
  return R"json({
      "type": "object",
      "additionalProperties": false,
      "description": "What a run and the sub-agents below it may use.",
      "properties": {
        "tokens": {"type": "integer", "minimum": 1, "description": "Input and output of all model calls."},
        "money": {"type": "string", "pattern": "^[0-9]+([.][0-9]{1,9})? USD$", "description": "2.50 USD; every model needs a known price."},
        "calls": {"type": "integer", "minimum": 1, "description": "Calls of models, attempts included."},
        "tool_calls": {"type": "integer", "minimum": 0},
        "depth": {"type": "integer", "minimum": 0, "maximum": 8, "description": "How deep sub-agents may go below."},
        "wall_time": {"$ref": "#/$defs/duration"},
        "on_budget": {"enum": ["fail", "park"], "description": "What becomes of a run that reaches one: it ends, or waits until it is raised."}
      }
    })json";
}

}  // namespace holdfast::agent
