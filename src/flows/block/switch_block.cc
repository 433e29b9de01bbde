// `type: switch`: a value, and the first case that is it names the outlet; if none is, it is `otherwise`.
// What a case `is` is any JSON; of a list each element is meant.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"
#include "spec/exact.h"

namespace holdfast::flows {

namespace {

constexpr std::size_t kMaxCases = 100;

struct Case {
  std::string name;
  Json is;
};

struct SwitchSettings : BlockSettings {
  Json value;
  std::vector<Case> cases;
};

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["value", "cases"],
    "properties": {
      "value": {"description": "What the cases are compared with."},
      "cases": {
        "type": "array",
        "minItems": 1,
        "maxItems": 100,
        "items": {
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "is"],
          "properties": {
            "name": {"$ref": "#/$defs/id", "not": {"enum": ["done", "error", "otherwise"]}},
            "is": {"description": "Any JSON; of a list each element is meant.", "not": {"type": "array", "maxItems": 0}}
          }
        }
      }
    }
  })json");
}

void check_case(spec::MapReader& in, const Json& is, std::set<std::string>& known) {
  const std::vector<Json> all = is.is_array() ? is.get<std::vector<Json>>() : std::vector<Json>{is};
  if (all.empty()) in.problem("is", "is an empty list, which no value is; name what it is");
  for (const Json& one : all) {
    if (is_template(one)) in.problem("is", "is a plain value; what depends on others is a `branch`");
    if (!known.insert(dump_json(one)).second)
      in.problem("is", fmt::format("{} is in a case before it already", dump_json(one)));
  }
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<SwitchSettings>();
  if (!reader.with.has("value"))
    reader.with.missing("value", "that the cases are compared with, such as \"{{ input.kind }}\"");
  settings->value = reader.with.json("value");
  std::set<std::string> known;
  for (const YAML::Node& node : reader.with.list("cases", kMaxCases)) {
    spec::MapReader in(reader.with.problems(), node,
                       fmt::format("{}.cases[{}]", reader.with.path(), settings->cases.size()));
    Case& one = settings->cases.emplace_back();
    one.name = in.required_text("name");
    if (!in.has("is")) in.missing("is", "the value of this case, or a list of them");
    one.is = in.json("is");
    if (in.has("is")) check_case(in, one.is, known);
    in.finish();
  }
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  const auto& settings = settings_of<SwitchSettings>(block);
  Json cases = Json::array();
  for (const Case& one : settings.cases) cases.push_back({{"name", one.name}, {"is", one.is}});
  return {{"value", settings.value}, {"cases", std::move(cases)}};
}

bool is_it(const Case& one, const Json& value) {
  if (!one.is.is_array()) return spec::same_value(one.is, value);
  return std::ranges::any_of(one.is, [&](const Json& each) { return spec::same_value(each, value); });
}

BlockResult run(const BoundBlock& block, Values& values) {
  const auto& settings = settings_of<SwitchSettings>(block);
  const Evaluated text = values.filled(settings.value);
  if (!text) return std::unexpected(text.error());
  // A number beyond 64 bits, which is not read, is no case.
  const auto value = read_json(*text, kMaxJsonDepth, Integers::kExact);
  BlockEnding out;
  out.outlet = "otherwise";
  for (const Case& one : settings.cases) {
    if (!value || !is_it(one, *value)) continue;
    out.outlet = one.name;
    break;
  }
  out.value = dump_json(Json{{"outlet", out.outlet}});
  return out;
}

}  // namespace

constinit const RunnableBlock kSwitchBlock =
    whole({.type = "switch", .schema = schema, .read = read, .canonical = canonical, .run = run, .has_timeout = true});

}  // namespace holdfast::flows
