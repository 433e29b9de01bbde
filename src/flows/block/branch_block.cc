// `type: branch`: the first rule that holds names the outlet; if none does, it is `otherwise`. `when` is a
// JavaScript expression in {{ }}, or one of CEL over `input` and `blocks`.

#include <fmt/format.h>

#include "base/json.h"
#include "block/block.h"
#include "block/condition.h"
#include "block/values.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

constexpr std::size_t kMaxRules = 100;

struct Rule {
  std::string name;
  Condition when;
};

struct BranchSettings : BlockSettings {
  std::vector<Rule> rules;
};

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["rules"],
    "properties": {"rules": {"$ref": "#/$defs/rules"}}
  })json");
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<BranchSettings>();
  for (const YAML::Node& node : reader.with.list("rules", kMaxRules)) {
    spec::MapReader in(reader.with.problems(), node,
                       fmt::format("{}.rules[{}]", reader.with.path(), settings->rules.size()));
    Rule& rule = settings->rules.emplace_back();
    rule.name = in.required_text("name");
    rule.when = read_condition(in, "when", reader.names);
    in.finish();
  }
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  Json rules = Json::array();
  for (const Rule& rule : settings_of<BranchSettings>(block).rules)
    rules.push_back({{"name", rule.name}, {"when", rule.when.text}});
  return {{"rules", std::move(rules)}};
}

BlockResult run(const BoundBlock& block, Values& values) {
  Conditions conditions(values);
  BlockEnding out;
  out.outlet = "otherwise";
  for (const Rule& rule : settings_of<BranchSettings>(block).rules) {
    const auto truth = conditions.holds(rule.when, fmt::format("rule `{}`", rule.name));
    if (!truth) return std::unexpected(truth.error());
    if (!*truth) continue;
    out.outlet = rule.name;
    break;
  }
  out.value = dump_json(Json{{"outlet", out.outlet}});
  return out;
}

}  // namespace

constinit const RunnableBlock kBranchBlock = whole({.type = "branch",
                                                    .schema = schema,
                                                    .read = read,
                                                    .canonical = canonical,
                                                    .run = run,
                                                    .has_timeout = true});

}  // namespace holdfast::flows
