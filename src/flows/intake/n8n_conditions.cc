// `if`, `filter` and `switch` of n8n as branches.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "intake/n8n_nodes.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

// {0} and {1} are the two sides. Names of both generations of n8n's conditions.
const std::map<std::string, std::string, std::less<>>& operations() {
  static const std::map<std::string, std::string, std::less<>> kOperations = {
      {"equal", "{0} === {1}"},
      {"equals", "{0} === {1}"},
      {"notEqual", "{0} !== {1}"},
      {"notEquals", "{0} !== {1}"},
      {"larger", "{0} > {1}"},
      {"gt", "{0} > {1}"},
      {"smaller", "{0} < {1}"},
      {"lt", "{0} < {1}"},
      {"largerEqual", "{0} >= {1}"},
      {"gte", "{0} >= {1}"},
      {"smallerEqual", "{0} <= {1}"},
      {"lte", "{0} <= {1}"},
      {"contains", "({0} ?? \"\").includes({1})"},
      {"notContains", "!({0} ?? \"\").includes({1})"},
      {"startsWith", "({0} ?? \"\").startsWith({1})"},
      {"notStartsWith", "!({0} ?? \"\").startsWith({1})"},
      {"endsWith", "({0} ?? \"\").endsWith({1})"},
      {"notEndsWith", "!({0} ?? \"\").endsWith({1})"},
      {"regex", "new RegExp({1}).test({0})"},
      {"notRegex", "!new RegExp({1}).test({0})"},
      {"true", "{0} === true"},
      {"false", "{0} === false"},
      {"exists", "{0} != null"},
      {"notExists", "{0} == null"},
      {"isEmpty", "({0} == null || {0}.length === 0)"},
      {"empty", "({0} == null || {0}.length === 0)"},
      {"isNotEmpty", "!({0} == null || {0}.length === 0)"},
      {"notEmpty", "!({0} == null || {0}.length === 0)"},
      {"lengthEquals", "({0} ?? []).length === {1}"},
      {"lengthGt", "({0} ?? []).length > {1}"},
      {"lengthLt", "({0} ?? []).length < {1}"},
  };
  return kOperations;
}

// Null: there is no such operation.
std::optional<std::string> compared(N8nStep& step, const Json& left, const std::string& operation,
                                    const Json& right, bool of_dates) {
  const auto found = operations().find(operation);
  if (found == operations().end() || of_dates) {
    step.left_out.push_back(fmt::format("the condition `{}`{}", operation, of_dates ? " of dates" : ""));
    return std::nullopt;
  }
  const std::string one = step.value(left).code;
  const std::string two = step.value(right).code;
  return fmt::format(fmt::runtime(found->second), one, two);
}

using Codes = std::vector<std::string>;

// Of n8n's newer form: {"combinator", "conditions": [{"leftValue", "rightValue", "operator": {...}}]}.
std::optional<std::string> of_conditions(N8nStep& step, const Json& from) {
  Codes codes;
  const Json options = value_in(from, "options");
  if (text_in(options, "typeValidation") == "loose" || value_in(options, "caseSensitive") == Json(false))
    step.check.push_back("its conditions compare loosely in n8n; here types and letters count");
  for (const Json& one : value_in(from, "conditions")) {
    const Json op = value_in(one, "operator");
    const auto code = compared(step, value_in(one, "leftValue"), text_in(op, "operation"),
                               value_in(one, "rightValue"), text_in(op, "type") == "dateTime");
    if (!code) return std::nullopt;
    codes.push_back(*code);
  }
  if (codes.empty()) return "true";
  const char* between = text_in(from, "combinator") == "or" ? " || " : " && ";
  return fmt::format("{}", fmt::join(codes, between));
}

// Of its older one: {"string": [{"value1", "operation", "value2"}], "number": [...], ...}.
std::optional<std::string> of_typed(N8nStep& step, const Json& from, const std::string& combine) {
  Codes codes;
  for (const auto& [type, list] : from.items()) {
    for (const Json& one : list) {
      std::string operation = text_in(one, "operation");
      if (operation.empty()) operation = type == "number" ? "smaller" : "equal";
      const auto code =
          compared(step, value_in(one, "value1"), operation, value_in(one, "value2"), type == "dateTime");
      if (!code) return std::nullopt;
      codes.push_back(*code);
    }
  }
  if (codes.empty()) return "true";
  return fmt::format("{}", fmt::join(codes, combine == "any" ? " || " : " && "));
}

std::optional<std::string> condition_of(N8nStep& step) {
  const Json conditions = step.parameters.take("conditions");
  const std::string combine = step.parameters.text("combineOperation", "all");
  if (conditions.is_object() && conditions.contains("conditions")) return of_conditions(step, conditions);
  return conditions.is_object() ? of_typed(step, conditions, combine) : std::optional<std::string>("true");
}

Json rule(const std::string& name, const std::string& code) {
  return {{"name", name}, {"when", "{{ " + code + " }}"}};
}

void branch(N8nStep& step, Json rules) {
  step.type = "branch";
  step.with = {{"rules", std::move(rules)}};
}

// Of a branch that is not understood: the graph keeps its ways, and it fails.
void give_up(N8nStep& step, std::size_t ways) {
  Json rules = Json::array();
  for (std::size_t i = 0; i < ways; ++i)
    rules.push_back(rule(step.outlets[i], R"((() => { throw new Error("not imported: the condition") })())"));
  branch(step, std::move(rules));
  step.understood = false;
}

Json switch_rules(N8nStep& step) {
  const Json rules = step.parameters.take("rules");
  Json list = value_in(rules, "values");
  if (list.is_null()) list = value_in(rules, "rules");
  return list.is_array() ? list : Json::array();
}

std::optional<std::string> switch_condition(N8nStep& step, const Json& one, const Json& value) {
  if (one.contains("conditions")) return of_conditions(step, one["conditions"]);
  const std::string operation = text_in(one, "operation");
  return compared(step, value, operation.empty() ? "equal" : operation, value_in(one, "value2"), false);
}

}  // namespace

void map_if(N8nStep& step) {
  step.outlets = {"yes", "otherwise"};
  const auto code = condition_of(step);
  if (!code) return give_up(step, 1);
  branch(step, Json::array({rule("yes", *code)}));
}

void map_filter(N8nStep& step) {
  step.outlets = {"yes", "otherwise"};
  step.check.push_back("it keeps items of a list; here it decides about the whole value");
  const auto code = condition_of(step);
  if (!code) return give_up(step, 1);
  branch(step, Json::array({rule("yes", *code)}));
}

void map_switch(N8nStep& step) {
  if (step.parameters.text("mode", "rules") == "expression") {
    const Json output = step.parameters.take("output");
    const Json given = step.parameters.take("numberOutputs");
    const std::size_t count =
        given.is_number_unsigned() ? std::min<std::size_t>(given.get<std::size_t>(), 100) : 4;
    const std::string code = step.value(output).code;
    Json rules = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      step.outlets.push_back(fmt::format("way_{}", i));
      rules.push_back(rule(step.outlets.back(), fmt::format("({}) === {}", code, i)));
    }
    return branch(step, std::move(rules));
  }
  const Json list = switch_rules(step);
  const Json value = step.parameters.take("value1");
  const Json fallback = step.parameters.take("fallbackOutput");
  step.parameters.take("dataType");
  // Several rules may lead to one output.
  std::map<std::size_t, Codes> outputs;
  bool all = true;
  std::size_t place = 0;
  for (const Json& one : list) {
    const Json output = value_in(one, "output");
    const std::size_t at =
        output.is_number_unsigned() ? std::min<std::size_t>(output.get<std::size_t>(), 99) : place;
    const auto code = switch_condition(step, one, value);
    all = all && code;
    outputs[at].push_back(code.value_or("false"));
    ++place;
  }
  if (outputs.empty()) return step.give_up("a switch without rules");
  Json rules = Json::array();
  for (const auto& [at, codes] : outputs) {
    while (step.outlets.size() <= at) step.outlets.push_back(fmt::format("way_{}", step.outlets.size()));
    rules.push_back(rule(step.outlets[at], fmt::format("{}", fmt::join(codes, " || "))));
  }
  for (std::size_t at = 0; at < step.outlets.size(); ++at) {
    if (!outputs.contains(at)) step.outlets[at] = "otherwise";
  }
  if (fallback.is_number_unsigned()) {
    const std::size_t at = std::min<std::size_t>(fallback.get<std::size_t>(), 99);
    if (outputs.contains(at))
      step.left_out.push_back("what no rule fits goes to the output of a rule; here it is `otherwise`");
    while (step.outlets.size() <= at) step.outlets.push_back("otherwise");
  }
  step.outlets.push_back("otherwise");
  branch(step, std::move(rules));
  if (all) return;
  for (Json& one : step.with["rules"])
    one["when"] = R"({{ (() => { throw new Error("not imported: the condition") })() }})";
  step.understood = false;
}

}  // namespace holdfast::flows
