#include "definition/flow.h"

#include <fmt/format.h>

#include "spec/duration.h"
#include "spec/reference_template.h"

namespace holdfast::agent {

namespace {

using nlohmann::json;
using protocol::FlowRules;
using spec::MapReader;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr milliseconds kLongestPeriod = hours(24) * 31;
constexpr milliseconds kLongestBatch = hours(24);
constexpr std::size_t kMaxKeyBytes = 1024;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "description": "When runs may begin, by a key over what they are given.",
  "properties": {
    "key": {"type": "string", "description": "Runs with the same key are controlled together: {input.customer}, {context.tenant}. Without it all runs of the agent are."},
    "when": {"type": "string", "description": "A condition over input and context: input.tier != \"vip\". A run that it is false for begins at once."},
    "concurrency": {
      "type": "object", "additionalProperties": false, "required": ["limit"],
      "description": "So many runs at a time; 1: one behind the other, in the order in which they came.",
      "properties": {"limit": {"type": "integer", "minimum": 1}}
    },
    "throttle": {
      "type": "object", "additionalProperties": false, "required": ["limit", "period"],
      "description": "So many runs begin within the period; the others wait.",
      "properties": {"limit": {"type": "integer", "minimum": 1}, "period": {"$ref": "#/$defs/duration"}}
    },
    "rate_limit": {
      "type": "object", "additionalProperties": false, "required": ["limit", "period"],
      "description": "So many runs are taken within the period; the others are refused.",
      "properties": {"limit": {"type": "integer", "minimum": 1}, "period": {"$ref": "#/$defs/duration"}}
    },
    "debounce": {
      "type": "object", "additionalProperties": false, "required": ["period"],
      "description": "A run begins when nobody has come for so long; the last one stands for those before it.",
      "properties": {"period": {"$ref": "#/$defs/duration"}, "timeout": {"$ref": "#/$defs/duration", "description": "Or since the first of them came."}}
    },
    "batch": {
      "type": "object", "additionalProperties": false, "required": ["max_size", "timeout"],
      "description": "Runs become one, which is given the inputs of all of them as a list.",
      "properties": {"max_size": {"type": "integer", "minimum": 2, "maximum": 1000}, "timeout": {"$ref": "#/$defs/duration"}}
    },
    "max_waiting": {"type": "integer", "minimum": 1, "maximum": 100000, "description": "Of a key; one more is refused. 1000 by default."}
  }
})json";

std::uint32_t limit_of(MapReader& in, std::int64_t most = 1'000'000) {
  if (!in.has("limit")) {
    in.child("limit");
    in.missing("limit", "how many");
    return 1;
  }
  return static_cast<std::uint32_t>(in.integer("limit", 1, 1, most));
}

std::int64_t needed(MapReader& in, std::string_view key, milliseconds longest) {
  const auto out = in.duration(key, milliseconds(1000), milliseconds(100), longest);
  if (!in.has(key)) in.missing(key, "how long: 30s, 1m, 1h");
  return out.count();
}

void check_paths(MapReader& in, std::string_view key, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const std::string_view root = std::string_view(path).substr(0, path.find('.'));
    if (root == "input" || root == "context") continue;
    in.problem(key,
               fmt::format("`{}` is not known here; what a run is given is `input` and `context`", path));
  }
}

std::string period(std::int64_t ms) {
  return spec::format_duration(milliseconds(ms));
}

}  // namespace

std::optional<FlowSpec> parse_flow(MapReader& spec) {
  if (!spec.has("flow")) {
    spec.child("flow");
    return std::nullopt;
  }
  MapReader in = spec.map("flow");
  FlowSpec out;
  out.key = in.text("key");
  if (out.key.size() > kMaxKeyBytes) in.problem("key", fmt::format("is longer than {} bytes", kMaxKeyBytes));
  check_paths(in, "key", spec::references(json(out.key)));
  if (spec::has_stray_brace(out.key))
    in.problem("key", "has a brace that belongs to no reference; one is written {input.customer}");
  if (const std::string when = in.text("when"); !when.empty()) {
    auto condition = spec::Condition::parse(when);
    if (condition) {
      check_paths(in, "when", condition->arguments_read());
      out.when = std::move(*condition);
    } else {
      in.problem("when", fmt::format("`{}`: {}", when, condition.error().message()));
    }
  }
  FlowRules& rules = out.rules;
  const auto section = [&](const char* name, auto read) {
    if (!in.has(name)) return void(in.child(name));
    MapReader one = in.map(name);
    read(one);
    one.finish();
  };
  section("concurrency", [&](MapReader& one) { rules.concurrency = limit_of(one); });
  section("throttle", [&](MapReader& one) {
    rules.throttle = limit_of(one);
    rules.throttle_ms = needed(one, "period", kLongestPeriod);
  });
  section("rate_limit", [&](MapReader& one) {
    rules.rate = limit_of(one);
    rules.rate_ms = needed(one, "period", kLongestPeriod);
  });
  section("debounce", [&](MapReader& one) {
    rules.debounce_ms = needed(one, "period", kLongestBatch);
    rules.debounce_timeout_ms =
        one.duration("timeout", milliseconds(0), milliseconds(0), kLongestPeriod).count();
    if (rules.debounce_timeout_ms > 0 && rules.debounce_timeout_ms < rules.debounce_ms)
      one.problem("timeout", "is shorter than `period`");
  });
  section("batch", [&](MapReader& one) {
    if (!one.has("max_size")) one.missing("max_size", "how many runs become one");
    rules.batch = static_cast<std::uint32_t>(one.integer("max_size", 2, 2, protocol::kMaxFlowBatch));
    rules.batch_ms = needed(one, "timeout", kLongestBatch);
  });
  rules.max_waiting =
      static_cast<std::uint32_t>(in.integer("max_waiting", 1000, 1, protocol::kMaxFlowWaiting));
  if (rules.debounce_ms > 0 && rules.batch > 0)
    in.problem("batch", "`debounce` keeps the last run alone, and `batch` all of them; choose one");
  if (rules.concurrency == 0 && rules.throttle == 0 && rules.rate == 0 && rules.debounce_ms == 0 &&
      rules.batch == 0)
    spec.problem("flow", "says nothing; give concurrency, throttle, rate_limit, debounce or batch");
  in.finish();
  return out;
}

json flow_json(const FlowSpec& flow) {
  const FlowRules& rules = flow.rules;
  json out = {{"max_waiting", rules.max_waiting}};
  if (!flow.key.empty()) out["key"] = flow.key;
  if (flow.when) out["when"] = flow.when->text();
  if (rules.concurrency > 0) out["concurrency"] = {{"limit", rules.concurrency}};
  if (rules.throttle > 0)
    out["throttle"] = {{"limit", rules.throttle}, {"period", period(rules.throttle_ms)}};
  if (rules.rate > 0) out["rate_limit"] = {{"limit", rules.rate}, {"period", period(rules.rate_ms)}};
  if (rules.debounce_ms > 0) {
    out["debounce"] = {{"period", period(rules.debounce_ms)}};
    if (rules.debounce_timeout_ms > 0) out["debounce"]["timeout"] = period(rules.debounce_timeout_ms);
  }
  if (rules.batch > 0) out["batch"] = {{"max_size", rules.batch}, {"timeout", period(rules.batch_ms)}};
  return out;
}

std::string_view flow_schema() {
  return kSchema;
}

}  // namespace holdfast::agent
