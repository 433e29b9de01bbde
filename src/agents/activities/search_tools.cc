// search_tools: of many tools a model is told of few; this finds the others, which are loaded by that.

#include "activities/search_tools.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "activities/builtin_tools.h"
#include "base/json.h"
#include "base/text.h"
#include "platform/memory_rules.h"

namespace holdfast::agent {

namespace {

constexpr std::size_t kMaxToldDescription = 300;
constexpr double kOfName = 4.0;
constexpr double kOfDescription = 1.5;
constexpr double kOfParameters = 1.0;
constexpr double kBeginning = 0.5;

// "issueRefund" and "issue_refund" are two words each.
std::string words_of_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z' && !out.empty() && out.back() != ' ') out += ' ';
    out += c == '_' || c == '-' ? ' ' : c;
  }
  return out;
}

using Weights = std::map<std::string, double>;

void add(Weights& weights, std::string_view text, double weight) {
  for (const auto& [term, times] : platform::rules::terms_of(text)) {
    double& of_term = weights[term];
    of_term = std::max(of_term, weight);
  }
}

Weights weights_of(const ToolSpec& tool) {
  Weights out;
  add(out, words_of_name(tool.name), kOfName);
  add(out, tool.name, kOfName);
  add(out, tool.description, kOfDescription);
  const auto properties = tool.parameters.find("properties");
  if (properties == tool.parameters.end() || !properties->is_object()) return out;
  for (const auto& [name, schema] : properties->items()) {
    add(out, words_of_name(name), kOfParameters);
    if (!schema.is_object()) continue;
    const auto description = schema.find("description");
    if (description != schema.end() && description->is_string())
      add(out, description->get_ref<const std::string&>(), kOfParameters);
  }
  return out;
}

double weight_of(const Weights& weights, const std::string& term) {
  const auto exact = weights.find(term);
  double best = exact == weights.end() ? 0 : exact->second;
  for (auto at = weights.lower_bound(term); at != weights.end() && at->first.starts_with(term); ++at)
    best = std::max(best, kBeginning * at->second);
  // "refunds" looks for "refund", too.
  if (term.size() > 3 && term.ends_with('s')) {
    const auto one = weights.find(term.substr(0, term.size() - 1));
    if (one != weights.end()) best = std::max(best, one->second);
  }
  return best;
}

bool offered(const AgentDefinition& agent) {
  return searches_tools(agent);
}

ToolEnding run(const BuiltinCall& call) {
  const std::string query = call.arguments.value("query", "");
  const std::size_t limit = call.arguments.value("limit", kUsualToolsFound);
  const auto found = find_tools(call.agent, query, limit, call.permits);
  if (found.empty()) {
    return {Ending::kDone,
            fmt::format("no tool fits `{}`; there are {}: try other words", query, call.agent.tools.size())};
  }
  Json rows = Json::array();
  Json names = Json::array();
  for (const ToolSpec* tool : found) {
    rows.push_back({{"name", tool->name}, {"description", cut_text(tool->description, kMaxToldDescription)}});
    names.push_back(tool->name);
  }
  ToolEnding out(Ending::kDone,
                 dump_json(Json{{"loaded", rows}, {"note", "These tools can be called from now on."}}));
  out.more["loaded"] = std::move(names);
  return out;
}

constexpr std::string_view kParameters = R"json({
  "type": "object",
  "required": ["query"],
  "additionalProperties": false,
  "properties": {
    "query": {"type": "string", "minLength": 1, "maxLength": 400, "description": "What the tool is to do, in a few words; or its name."},
    "limit": {"type": "integer", "minimum": 1, "maximum": 20, "description": "How many tools to load; 5 by default."}
  }
})json";

}  // namespace

std::vector<const ToolSpec*> find_tools(const AgentDefinition& agent, std::string_view query,
                                        std::size_t limit, const grant::ToolPermits* permits) {
  const std::vector<std::string> terms =
      platform::rules::query_terms(std::string(query) + " " + words_of_name(query));
  std::vector<Weights> weights;
  for (const ToolSpec& tool : agent.tools) weights.push_back(weights_of(tool));
  std::vector<double> scores(agent.tools.size());
  for (const std::string& term : terms) {
    std::vector<double> of_term;
    for (const Weights& one : weights) of_term.push_back(weight_of(one, term));
    const double with = static_cast<double>(
        std::count_if(of_term.begin(), of_term.end(), [](double weight) { return weight > 0; }));
    const double without = static_cast<double>(of_term.size()) - with;
    const double rarity = std::log(1.0 + (without + 0.5) / (with + 0.5));
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] += rarity * of_term[i];
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (agent.tools[i].name == query) scores[i] += 1e6;
    if (permits && permits->refusal(agent.tools[i].name)) continue;
    if (scores[i] > 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&scores](std::size_t a, std::size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  std::vector<const ToolSpec*> out;
  for (std::size_t i = 0; i < order.size() && i < std::min(limit, kMaxToolsFound); ++i)
    out.push_back(&agent.tools[order[i]]);
  return out;
}

std::vector<std::string> names_found(std::string_view answer) {
  std::vector<std::string> out;
  const Json read = parse_json(answer);
  const auto rows = read.is_object() ? read.find("loaded") : read.end();
  if (!read.is_object() || rows == read.end() || !rows->is_array()) return out;
  for (const Json& row : *rows) {
    if (row.is_object() && row.contains("name") && row["name"].is_string())
      out.push_back(row["name"].get<std::string>());
  }
  return out;
}

constinit const BuiltinTool kSearchTools{.name = "search_tools",
                                         .description =
                                             "Finds tools that are not loaded yet, and loads them. You are "
                                             "told of few tools; search before you say "
                                             "that something cannot be done.",
                                         .parameters = kParameters,
                                         .offered = offered,
                                         .run = run};

}  // namespace holdfast::agent
