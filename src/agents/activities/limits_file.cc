#include "activities/limits_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "definition/names.h"
#include "definition/value_name.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

using spec::MapReader;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::int64_t kMostConcurrency = 100'000;
constexpr std::int64_t kMostPerMinute = 1'000'000'000'000;

model::Limit parse_limit(MapReader& in) {
  model::Limit out;
  out.key = in.text("key");
  if (!out.key.empty() && !is_value_name(out.key))
    in.problem("key", "must be the name of an environment variable such as OPENAI_API_KEY, not a key");
  out.host = ascii_lower(in.text("host"));
  if (out.host.find('/') != std::string::npos)
    in.problem("host", "names a host alone, and its port when the address has one: localhost:11434");
  out.model = in.text("model");
  if (out.name().empty()) in.missing("key", "or `host`, or `model`: what is it about?");
  out.requests_per_minute = in.integer("requests_per_minute", 0, 1, kMostPerMinute);
  out.tokens_per_minute = in.integer("tokens_per_minute", 0, 1, kMostPerMinute);
  out.concurrency = static_cast<std::size_t>(
      in.integer("concurrency", static_cast<std::int64_t>(out.concurrency), 1, kMostConcurrency));
  in.finish();
  return out;
}

model::BreakerRules parse_breaker(MapReader in) {
  model::BreakerRules out;
  out.failures = static_cast<int>(in.integer("failures", out.failures, 1, 1'000'000));
  out.window = in.duration("window", out.window, milliseconds(10), hours(1));
  out.open_for = in.duration("open_for", out.open_for, milliseconds(1), hours(1));
  out.longest_open =
      in.duration("longest_open", std::max(out.longest_open, out.open_for), milliseconds(1), hours(24));
  in.finish();
  return out;
}

}  // namespace

Result<ModelLimits> parse_limits_file(std::string_view text, std::string_view source) {
  spec::YamlProblems problems(source);
  ModelLimits out;
  try {
    const std::vector<YAML::Node> documents = spec::yaml_documents(std::string(text));
    if (documents.size() != 1) {
      return fail(Code::kInvalidArgument, fmt::format("{}:1:1: a file of limits holds one document, not {}",
                                                      source, documents.size()));
    }
    MapReader file(problems, documents.front(), "");
    if (file.required_text("apiVersion") != "holdfast.dev/v1")
      file.problem("apiVersion", "use holdfast.dev/v1");
    if (file.required_text("kind") != "Limits") file.problem("kind", "use Limits");
    out.limits.concurrency = static_cast<std::size_t>(
        file.integer("concurrency", static_cast<std::int64_t>(out.limits.concurrency), 1, kMostConcurrency));
    out.breaker = parse_breaker(file.map("breaker"));
    std::size_t index = 0;
    for (const YAML::Node& node : file.list("limits", model::kMaxLimits)) {
      MapReader in(problems, node, fmt::format("limits[{}]", index++));
      model::Limit limit = parse_limit(in);
      const bool twice = std::any_of(out.limits.list.begin(), out.limits.list.end(),
                                     [&](const model::Limit& other) { return other.name() == limit.name(); });
      if (twice)
        problems.add(node.Mark(),
                     fmt::format("there is a limit of {} already; the first that is about a call decides",
                                 limit.name()));
      out.limits.list.push_back(std::move(limit));
    }
    file.finish();
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

}  // namespace holdfast::agent
