#include "agent/policy.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace holdfast::agent {

namespace {

namespace cel = spec::cel;

constexpr cel::Nanos kNanosPerMs = 1'000'000;
constexpr std::int64_t kDayMs = 86'400'000;

cel::Value time_value(std::int64_t ms) {
  return cel::Value(cel::Timestamp{cel::Nanos{ms} * kNanosPerMs});
}

cel::Value call_value(const MadeCall& call) {
  cel::MapRows rows;
  rows.emplace("tool", cel::Value(call.tool));
  rows.emplace("args", cel::Value::of_json(call.arguments));
  rows.emplace("ok", cel::Value(call.ok));
  rows.emplace("state", cel::Value(call.ended_ms == 0 ? "running" : call.ok ? "ok" : "failed"));
  rows.emplace("time", time_value(call.at_ms));
  rows.emplace("ended", call.ended_ms == 0 ? cel::Value() : time_value(call.ended_ms));
  return cel::Value::map(std::move(rows));
}

cel::Environment environment_of(const std::string& tool, const Json& arguments, const PolicyFacts& facts) {
  cel::Environment out;
  out.variables.emplace("args", cel::Value::of_json(arguments));
  out.variables.emplace("tool", cel::Value(tool));
  out.variables.emplace("now", time_value(facts.now_ms));
  out.variables.emplace("today", time_value(facts.now_ms - facts.now_ms % kDayMs));
  out.functions.emplace(
      "calls", [&facts](const std::vector<cel::Value>& in) -> std::expected<cel::Value, std::string> {
        if (in.size() != 1 || !in[0].text()) return std::unexpected("calls() takes the name of a tool");
        if (!facts.calls) return std::unexpected("what the run has done is not known here");
        auto calls = facts.calls(*in[0].text());
        if (!calls) return std::unexpected(calls.error());
        std::vector<cel::Value> items;
        for (const MadeCall& call : *calls) items.push_back(call_value(call));
        return cel::Value::list(std::move(items));
      });
  return out;
}

// "SERVER__*": every tool of that server.
bool names(const std::string& rule, const std::string& tool) {
  if (rule == "*" || rule == tool) return true;
  return rule.ends_with("__*") && tool.starts_with(std::string_view(rule).substr(0, rule.size() - 1));
}

bool looks_back(const ApprovalRule& rule) {
  if (!rule.terms.cel) return false;
  const auto tools = rule.terms.cel->literals_of("calls");
  return !tools || !tools->empty();
}

class Check {
 public:
  Check(const std::string& tool, const Json& arguments, const PolicyFacts& facts)
      : tool_(tool), arguments_(arguments), facts_(facts) {}

  bool matches(const ApprovalRule& rule) {
    if (!names(rule.tool, tool_)) return false;
    if (rule.terms.cel) return matches_cel(rule);
    if (!rule.when) return true;
    switch (rule.when->evaluate(arguments_)) {
      case spec::Truth::kTrue: return true;
      case spec::Truth::kFalse: return false;
      case spec::Truth::kUnknown: return rule.action != Action::kAllow;
    }
    return true;
  }

 private:
  bool matches_cel(const ApprovalRule& rule) {
    if (!facts_.calls && looks_back(rule)) return false;
    if (!environment_) environment_ = environment_of(tool_, arguments_, facts_);
    const cel::Evaluated said = rule.terms.cel->evaluate(*environment_);
    const bool* truth = said ? said->as<bool>() : nullptr;
    return truth ? *truth : rule.action != Action::kAllow;
  }

  const std::string& tool_;
  const Json& arguments_;
  const PolicyFacts& facts_;
  std::optional<cel::Environment> environment_;
};

std::string condition_text(const ApprovalRule& rule) {
  return rule.terms.cel ? rule.terms.cel->text() : rule.when ? rule.when->text() : "";
}

std::string reason_of(Action action, const ApprovalRule* rule) {
  if (rule && !rule->reason.empty()) return rule->reason;
  if (action == Action::kAllow) return "";
  const std::string when = rule ? condition_text(*rule) : "";
  if (!when.empty()) return fmt::format("policy: {} when {}", to_string(action), when);
  return fmt::format("policy: {}", to_string(action));
}

Ruling ruling_by(const ApprovalSpec& approvals, std::size_t index) {
  const ApprovalRule& rule = approvals.rules[index];
  Ruling out;
  out.action = rule.action;
  out.reason = reason_of(rule.action, &rule);
  out.expires_after = rule.expires_after.value_or(approvals.expires_after);
  out.rule = rule_name(approvals, index);
  out.terms = rule.terms;
  return out;
}

}  // namespace

Ruling check_policy(const ApprovalSpec& approvals, const std::string& tool, const Json& arguments,
                    const PolicyFacts& facts) {
  Check check(tool, arguments, facts);
  std::optional<Ruling> tried;
  std::optional<Ruling> ruled;
  for (std::size_t i = 0; i < approvals.rules.size() && !ruled; ++i) {
    const ApprovalRule& rule = approvals.rules[i];
    const bool shadow = rule.terms.shadow || approvals.terms.shadow;
    if ((shadow && tried) || !check.matches(rule)) continue;
    (shadow ? tried : ruled) = ruling_by(approvals, i);
  }
  Ruling fallback;
  fallback.action = approvals.fallback;
  fallback.reason = reason_of(approvals.fallback, nullptr);
  fallback.expires_after = approvals.expires_after;
  if (approvals.terms.shadow && !tried) tried = fallback;
  Ruling out = ruled ? *std::move(ruled) : approvals.terms.shadow ? Ruling() : std::move(fallback);
  if (tried && tried->action != out.action)
    out.shadow = ShadowRuling{tried->action, tried->rule, tried->reason};
  return out;
}

bool reads_history(const ApprovalSpec& approvals, const std::string& tool) {
  return std::ranges::any_of(
      approvals.rules, [&](const ApprovalRule& rule) { return names(rule.tool, tool) && looks_back(rule); });
}

std::vector<std::string> watched_tools(const ApprovalSpec& approvals) {
  std::set<std::string> out;
  for (const ApprovalRule& rule : approvals.rules) {
    if (!rule.terms.cel) continue;
    const auto tools = rule.terms.cel->literals_of("calls");
    if (tools) out.insert(tools->begin(), tools->end());
  }
  return {out.begin(), out.end()};
}

std::string rule_name(const ApprovalSpec& approvals, std::size_t index) {
  const std::string& name = approvals.rules[index].terms.name;
  return name.empty() ? fmt::format("rules[{}]", index) : name;
}

}  // namespace holdfast::agent
