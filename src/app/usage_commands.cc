// usage, budget.

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/usage_text.h"
#include "base/json.h"
#include "base/url.h"
#include "spec/duration.h"

namespace holdfast::app {

namespace {

std::string number(const Json& row, const char* name) {
  return row.contains(name) ? dump_json(row[name]) : std::string();
}

std::vector<std::string> columns_of(const std::string& by) {
  if (by == "model") return {"model", "provider"};
  if (by == "version") return {"version", "agent"};
  if (by == "tool") return {"tool", "agent"};
  return {by};
}

std::vector<std::string> line_of(const Json& row, const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(row.value(name, "").substr(0, 40));
  for (const char* count :
       {"model_calls", "tool_calls", "input_tokens", "cached_input_tokens", "output_tokens"})
    out.push_back(number(row, count));
  out.push_back(cost_text(row["cost"]));
  return out;
}

}  // namespace

std::string cost_text(const Json& cost) {
  if (!cost.is_object()) return "unpriced";
  const std::string text = cost.value("usd", "") + " USD";
  return cost.contains("without_unpriced_calls") ? text + " + unpriced" : text;
}

int print_usage(const UsageOptions& options) {
  ApiSession api(options.api);
  std::string path = "/api/v1/usage?by=" + percent_encode(options.by);
  if (options.from) path += "&from=" + percent_encode(*options.from);
  if (options.to) path += "&to=" + percent_encode(*options.to);
  auto report = api.get(path);
  if (!report) return report.error();
  if (options.api.json) {
    print_line(dump_json(*report));
    return kExitOk;
  }
  const std::vector<std::string> names = columns_of(options.by);
  std::vector<std::vector<std::string>> table(1);
  for (const std::string& name : names) {
    std::string head = name;
    for (char& c : head) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    table.front().push_back(head);
  }
  for (const char* head : {"CALLS", "TOOL CALLS", "INPUT", "CACHED", "OUTPUT", "COST"})
    table.front().push_back(head);
  for (const Json& row : (*report)["rows"]) table.push_back(line_of(row, names));
  if (table.size() == 1) {
    complain(
        fmt::format("nothing was used from {} to {}", report->value("from", ""), report->value("to", "")));
    return kExitOk;
  }
  std::vector<std::string> total = line_of((*report)["total"], {});
  total.insert(total.begin(), names.size(), "");
  total.front() = "total";
  table.push_back(std::move(total));
  print_table(table);
  if (report->value("more", false)) complain("there are more rows; the total counts them");
  return kExitOk;
}

int raise_budget(const BudgetOptions& options) {
  Json body = Json::object();
  if (options.money)
    body["money"] = options.money->ends_with(" USD") ? *options.money : *options.money + " USD";
  if (options.tokens) body["tokens"] = *options.tokens;
  if (options.calls) body["calls"] = *options.calls;
  if (options.tool_calls) body["tool_calls"] = *options.tool_calls;
  if (options.depth) body["depth"] = *options.depth;
  if (options.wall_time) {
    const auto duration = spec::parse_duration(*options.wall_time);
    if (!duration) {
      report_error("usage", "--wall-time must be a duration such as 30m or 2h");
      return kExitUsage;
    }
    body["wall_time_ms"] = duration->count();
  }
  if (body.empty()) {
    report_error("usage", "name a budget: --money, --tokens, --calls, --tool-calls, --depth or --wall-time");
    return kExitUsage;
  }
  ApiSession api(options.api);
  auto answer = api.post("/api/v1/runs/" + percent_encode(options.run) + "/budget", body);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer) : printable(dump_json((*answer)["budgets"], 2)));
  return kExitOk;
}

}  // namespace holdfast::app
