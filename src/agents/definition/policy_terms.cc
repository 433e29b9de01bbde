#include "definition/policy_terms.h"

#include <algorithm>

#include <fmt/format.h>

#include "definition/names.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortest{100};
constexpr milliseconds kLongest = std::chrono::hours(24 * 3660);

constexpr std::string_view kApprovalsSchema = R"json({
  "language": {"enum": ["cel"], "description": "What `when` is written in. Absent: comparisons of arguments, as before CEL."},
  "mode": {"enum": ["enforce", "shadow"], "description": "shadow: rules only tell what they would have done."}
})json";

constexpr std::string_view kRuleSchema = R"json({
  "name": {"type": "string", "description": "What events and people call the rule. Absent: rules[N]."},
  "mode": {"enum": ["enforce", "shadow"], "description": "shadow: the rule only tells what it would have done."},
  "who": {"type": "array", "items": {"type": "string"}, "description": "Roles that may decide, or user:NAME."},
  "quorum": {"type": "integer", "minimum": 1, "maximum": 32, "description": "So many people have to approve; one no is enough."},
  "four_eyes": {"type": "boolean", "description": "Whoever started the run does not approve its calls."},
  "on_expiry": {"enum": ["reject", "approve", "fail"]},
  "escalate": {
    "type": "array",
    "maxItems": 16,
    "items": {
      "type": "object",
      "additionalProperties": false,
      "required": ["after", "to"],
      "properties": {
        "after": {"$ref": "#/$defs/duration"},
        "to": {"type": "array", "items": {"type": "string"}, "description": "Who may decide as well from then on."}
      }
    }
  }
})json";

bool is_person_or_role(std::string_view text) {
  std::string_view name = text;
  if (name.starts_with("user:")) name.remove_prefix(5);
  const bool is_user = name.size() != text.size();
  if (name.empty() || name.size() > 100) return false;
  return is_user || std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

std::vector<std::string> parse_who(spec::MapReader& in, std::string_view key) {
  std::vector<std::string> out;
  for (const YAML::Node& node : in.list(key, kMaxWho)) {
    const std::string name = node.IsScalar() ? node.Scalar() : "";
    if (is_person_or_role(name)) {
      out.push_back(name);
    } else {
      in.problems().add(node.Mark(), fmt::format("`{}`: name roles, such as approver, or user:NAME", key));
    }
  }
  return out;
}

std::vector<EscalationSpec> parse_escalations(spec::MapReader& in) {
  std::vector<EscalationSpec> out;
  for (const YAML::Node& node : in.list("escalate", kMaxEscalations)) {
    spec::MapReader one(in.problems(), node, "escalate");
    EscalationSpec step;
    step.after = one.duration("after", milliseconds(0), kShortest, kLongest);
    if (!one.has("after")) one.missing("after", "how long after the question");
    step.to = parse_who(one, "to");
    if (!one.has("to")) one.missing("to", "who may decide as well from then on");
    one.finish();
    if (!out.empty() && step.after <= out.back().after)
      in.problems().add(node.Mark(), "`escalate`: one behind the other, each later than the one before");
    out.push_back(std::move(step));
  }
  return out;
}

// Keys of a rule that asks, in one that does not.
void refuse_terms(spec::MapReader& in) {
  for (const std::string_view key : {"who", "quorum", "four_eyes", "escalate", "on_expiry"}) {
    in.child(key);
    if (in.has(key)) in.problem(key, "only a rule with `action: ask` asks anybody; remove it");
  }
}

nlohmann::json who_json(const std::vector<std::string>& who) {
  return nlohmann::json(who);
}

}  // namespace

const std::vector<std::string>& policy_functions() {
  static const std::vector<std::string> kFunctions = {"calls"};
  return kFunctions;
}

PolicyTerms parse_policy_terms(spec::MapReader& approvals) {
  PolicyTerms out;
  out.cel = approvals.choice("language", {"cel"}).has_value();
  out.shadow = approvals.choice("mode", {"enforce", "shadow"}).value_or(0) == 1;
  return out;
}

void parse_rule_terms(spec::MapReader& rule, bool asks, RuleTerms& out) {
  out.name = rule.text("name");
  if (!out.name.empty() && !is_tool_name(out.name))
    rule.problem("name", "may hold letters, digits, `_` and `-`, 64 at most");
  out.shadow = rule.choice("mode", {"enforce", "shadow"}).value_or(0) == 1;
  if (!asks) return refuse_terms(rule);
  out.who = parse_who(rule, "who");
  out.quorum = static_cast<int>(rule.integer("quorum", 1, 1, kMaxQuorum));
  out.four_eyes = rule.boolean("four_eyes", false);
  out.escalate = parse_escalations(rule);
  if (auto silence = rule.choice("on_expiry", {"reject", "approve", "fail"}))
    out.on_expiry = static_cast<OnExpiry>(*silence);
}

std::optional<spec::cel::Expression> parse_cel(spec::MapReader& rule, std::string_view when) {
  auto expression = spec::cel::Expression::parse(when, policy_functions());
  if (!expression) {
    rule.problem("when", fmt::format("`{}`: {}", when, expression.error().text()));
    return std::nullopt;
  }
  static const std::vector<std::string> kNames = {"args", "now", "today", "tool"};
  for (const std::string& name : expression->names()) {
    if (std::ranges::find(kNames, name) != kNames.end()) continue;
    rule.problem("when",
                 fmt::format("`{}`: there is no `{}`; there are args, now, today, tool and calls(\"TOOL\"), "
                             "and arguments are written args.{}",
                             when, name, name));
  }
  if (!expression->literals_of("calls"))
    rule.problem("when",
                 fmt::format("`{}`: calls() takes the name of a tool as it is: calls(\"refund\")", when));
  return std::move(*expression);
}

void add_policy_terms(nlohmann::json& approvals, const PolicyTerms& terms) {
  if (terms.cel) approvals["language"] = "cel";
  if (terms.shadow) approvals["mode"] = "shadow";
  if (terms.fail_on_expiry) approvals["on_expiry"] = "fail";
}

void add_rule_terms(nlohmann::json& rule, const RuleTerms& terms) {
  if (!terms.name.empty()) rule["name"] = terms.name;
  if (terms.cel) rule["when"] = terms.cel->text();
  if (terms.shadow) rule["mode"] = "shadow";
  if (terms.quorum > 1) rule["quorum"] = terms.quorum;
  if (!terms.who.empty()) rule["who"] = who_json(terms.who);
  if (terms.four_eyes) rule["four_eyes"] = true;
  for (const EscalationSpec& one : terms.escalate)
    rule["escalate"].push_back({{"after", spec::format_duration(one.after)}, {"to", who_json(one.to)}});
  static constexpr std::string_view kSilence[] = {"reject", "approve", "fail"};
  if (terms.on_expiry) rule["on_expiry"] = kSilence[static_cast<std::size_t>(*terms.on_expiry)];
}

void add_policy_schema(nlohmann::ordered_json& schema) {
  using Ordered = nlohmann::ordered_json;
  Ordered& approvals = schema["$defs"]["approvals"]["properties"];
  for (const auto& [key, value] : Ordered::parse(kApprovalsSchema).items()) approvals[key] = value;
  approvals["on_expiry"]["enum"].push_back("fail");
  Ordered& rule = approvals["rules"]["items"]["properties"];
  for (const auto& [key, value] : Ordered::parse(kRuleSchema).items()) rule[key] = value;
}

}  // namespace holdfast::agent
