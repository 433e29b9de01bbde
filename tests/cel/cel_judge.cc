// Reads the conformance vectors of CEL, as tools/judge_cel.mjs writes them, and holds spec/cel.h against
// them: of each section how many passed, were skipped and failed. What is skipped is what
// docs/guide/policy.md says is not there: a section of an extension or of messages, or an expression that is
// refused as kUnsupported. Exit code 1 when one fails.

#include <algorithm>
#include <array>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "spec/cel.h"
#include "spec/cel_time.h"

namespace holdfast::spec::cel {
namespace {

using Json = nlohmann::json;

// Messages, extensions, types as values, and what only a checker of types says.
constexpr std::array<std::string_view, 18> kSkipped = {
    "bindings_ext/", "block_ext/", "encoders_ext/",    "enums/",     "macros2/",    "math_ext/",
    "optionals/",    "proto2/",    "proto2_ext/",      "proto3/",    "string_ext/", "type_deductions/",
    "wrappers/",     "dynamic/",   "conversions/type", "namespace/", "unknowns/",   "network_ext/"};

std::optional<double> number(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (json == "Infinity") return std::numeric_limits<double>::infinity();
  if (json == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

std::optional<Value> value_of_proto(const Json& json);

std::optional<Value> list_of(const Json& json) {
  std::vector<Value> items;
  for (const Json& one : json.value("values", Json::array())) {
    auto item = value_of_proto(one);
    if (!item) return std::nullopt;
    items.push_back(std::move(*item));
  }
  return Value::list(std::move(items));
}

std::optional<Value> map_of(const Json& json) {
  MapRows rows;
  for (const Json& one : json.value("entries", Json::array())) {
    const auto key = value_of_proto(one.at("key"));
    auto value = value_of_proto(one.at("value"));
    if (!key || !value || !key_of(*key)) return std::nullopt;
    rows.emplace(*key_of(*key), std::move(*value));
  }
  return Value::map(std::move(rows));
}

// None: a message, which this subset does not have.
std::optional<Value> value_of_proto(const Json& json) {
  if (json.contains("nullValue")) return Value();
  if (json.contains("boolValue")) return Value(json["boolValue"].get<bool>());
  if (json.contains("int64Value")) {
    const Json& v = json["int64Value"];
    return Value(v.is_string() ? static_cast<std::int64_t>(std::stoll(v.get<std::string>()))
                               : v.get<std::int64_t>());
  }
  if (json.contains("uint64Value")) {
    const Json& v = json["uint64Value"];
    return Value(v.is_string() ? static_cast<std::uint64_t>(std::stoull(v.get<std::string>()))
                               : v.get<std::uint64_t>());
  }
  if (json.contains("doubleValue")) {
    const auto v = number(json["doubleValue"]);
    return v ? std::optional(Value(*v)) : std::nullopt;
  }
  if (json.contains("stringValue")) return Value(json["stringValue"].get<std::string>());
  if (json.contains("bytesValue")) {
    auto text = json["bytesValue"].get<std::string>();
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    const auto bytes = from_base64url(text.substr(0, text.find('=')));
    return bytes ? std::optional(Value::bytes(*bytes)) : std::nullopt;
  }
  if (json.contains("listValue")) return list_of(json["listValue"]);
  if (json.contains("mapValue")) return map_of(json["mapValue"]);
  if (!json.contains("objectValue")) return std::nullopt;
  const Json& message = json["objectValue"];
  const std::string type = message.value("@type", "");
  const Json text = message.value("value", Json());
  if (type.ends_with("google.protobuf.Duration") && text.is_string()) {
    const auto nanos = parse_span(text.get<std::string>());
    return nanos ? std::optional(Value(Duration{*nanos})) : std::nullopt;
  }
  if (type.ends_with("google.protobuf.Timestamp") && text.is_string()) {
    const auto nanos = parse_timestamp(text.get<std::string>());
    return nanos ? std::optional(Value(Timestamp{*nanos})) : std::nullopt;
  }
  return std::nullopt;
}

// As equal() says, of the same types all the way down; NaN is what NaN is.
bool same(const Value& a, const Value& b) {
  if (a.type() != b.type()) return false;
  if (const auto* list = a.as<List>()) {
    const auto& other = **b.as<List>();
    if ((*list)->size() != other.size()) return false;
    for (std::size_t i = 0; i < other.size(); ++i) {
      if (!same((**list)[i], other[i])) return false;
    }
    return true;
  }
  if (const auto* map = a.as<Map>()) {
    const auto& other = **b.as<Map>();
    if ((*map)->size() != other.size()) return false;
    for (const auto& [key, value] : **map) {
      const auto found = other.find(key);
      if (found == other.end() || found->first.index() != key.index() || !same(value, found->second))
        return false;
    }
    return true;
  }
  if (const auto* one = a.as<double>(); one && *one != *one) return *b.as<double>() != *b.as<double>();
  std::size_t steps = 0;
  return equal(a, b, steps);
}

struct Count {
  int passed = 0, skipped = 0, failed = 0;
};

enum class Result { kPassed, kSkipped, kFailed };

Result judged(const std::string& section, const Json& test, std::string& why) {
  for (const std::string_view skipped : kSkipped) {
    if (section.starts_with(skipped)) return Result::kSkipped;
  }
  if (test.value("checkOnly", false) || test.value("disableMacros", false) || test.contains("typedResult") ||
      test.contains("container"))
    return Result::kSkipped;
  Environment environment;
  for (const auto& [name, bound] : test.value("bindings", Json::object()).items()) {
    const auto value = bound.contains("value") ? value_of_proto(bound["value"]) : std::nullopt;
    if (!value || name.contains('.')) return Result::kSkipped;
    environment.variables.emplace(name, *value);
  }
  const bool fails = test.contains("evalError") || test.contains("anyEvalErrors");
  const auto expression = Expression::parse(test.at("expr").get<std::string>());
  const auto said =
      expression ? expression->evaluate(environment) : Evaluated(std::unexpected(expression.error()));
  if (!said && said.error().kind == ErrorKind::kUnsupported) return Result::kSkipped;
  if (!said && fails) return Result::kPassed;
  if (!said) {
    why = said.error().text();
    return Result::kFailed;
  }
  if (fails) {
    why = fmt::format("a {} instead of an error", said->type());
    return Result::kFailed;
  }
  const auto wanted = test.contains("value") ? value_of_proto(test["value"]) : Value(true);
  if (!wanted) return Result::kSkipped;
  if (same(*said, *wanted)) return Result::kPassed;
  why = fmt::format("another value, of type {}", said->type());
  return Result::kFailed;
}

int judge(std::istream& in) {
  std::map<std::string, Count> sections;
  Count all;
  for (std::string line; std::getline(in, line);) {
    const Json row = parse_json(line);
    const auto section = row.at("section").get<std::string>();
    std::string why;
    const Result result = judged(section, row.at("test"), why);
    Count& count = sections[section];
    for (Count* one : {&count, &all})
      ++(result == Result::kPassed ? one->passed : result == Result::kSkipped ? one->skipped : one->failed);
    if (result == Result::kFailed)
      fmt::print("FAILED {} {}: {}: {}\n", section, row["test"].value("name", ""),
                 row["test"].value("expr", ""), why);
  }
  fmt::print("{:<48}{:>7}{:>9}{:>7}\n", "section", "passed", "skipped", "failed");
  for (const auto& [name, one] : sections)
    fmt::print("{:<48}{:>7}{:>9}{:>7}\n", name, one.passed, one.skipped, one.failed);
  fmt::print("{:<48}{:>7}{:>9}{:>7}\n", "all", all.passed, all.skipped, all.failed);
  return all.failed == 0 && all.passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::spec::cel

int main() {
  return holdfast::spec::cel::judge(std::cin);
}
