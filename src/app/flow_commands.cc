// flow validate, flow plan: a flow file without a server.

#include <fmt/format.h>

#include <cerrno>

#include "app/commands.h"
#include "app/definition_file.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "explain/explain.h"

namespace holdfast::app {

namespace {

using Json = nlohmann::ordered_json;

Result<flows::Flow> read_flow_file(const std::string& file) {
  auto text = read_file(file, flows::kMaxFlowBytes);
  if (!text) return fail(text.error());
  return flows::read_flow(*text, file);
}

std::string joined(const Json& names, std::string_view between) {
  std::string out;
  for (const Json& name : names) {
    if (!out.empty()) out += between;
    out += name.get<std::string>();
  }
  return out;
}

std::string duration_text(double ms) {
  return ms >= 1000 ? fmt::format("{:.2f} s", ms / 1000) : fmt::format("{:.1f} ms", ms);
}

void print_summary(const Json& told) {
  std::vector<std::vector<std::string>> table = {{"PLANNER", "ACTIVITIES", "LATENCY", "SYNCS",
                                                  "TEMPORAL ACTIONS", "USD/MILLION RUNS",
                                                  "HELD UP BY A PERSON WITHOUT NEED"}};
  for (const auto& [planner, plan] : told["planners"].items()) {
    const std::string held_up = joined(plan["held_up_by_people"], ", ");
    table.push_back(
        {planner, dump_json(plan["count"]), duration_text(plan["latency_ms"].get<double>()),
         fmt::format("{}-{}", dump_json(plan["syncs"]["least"]), dump_json(plan["syncs"]["most"])),
         dump_json(plan["temporal_actions"]),
         fmt::format("{:.0f}", plan["usd_per_million_runs"].get<double>()), held_up.empty() ? "-" : held_up});
  }
  print_table(table);
}

void print_plan(const std::string& planner, const Json& plan) {
  const std::string path = joined(plan["critical_path"], " ");
  std::vector<std::vector<std::string>> table = {{planner, "AFTER", "STARTS", "TAKES", "BLOCK", "WHY"}};
  for (const Json& activity : plan["activities"]) {
    bool first = true;
    for (const Json& block : activity["blocks"]) {
      const std::string id = block.get<std::string>();
      const std::string why = activity["why"][id].get<std::string>();
      if (first) {
        const std::string after = joined(activity["after"], " ");
        table.push_back({activity["id"].get<std::string>(), after.empty() ? "-" : after,
                         duration_text(activity["starts_ms"].get<double>()),
                         duration_text(activity["takes_ms"].get<double>()), id, why});
      } else {
        table.push_back({"", "", "", "", id, why});
      }
      first = false;
    }
  }
  print_line("");
  print_table(table);
  print_line("critical path: " + path);
}

}  // namespace

int validate_flows(const FlowFilesOptions& options) {
  Json files = Json::array();
  std::size_t wrong = 0;
  int exit_code = kExitOk;
  for (const std::string& file : options.files) {
    auto flow = read_flow_file(file);
    Json row = {{"file", file}, {"valid", flow.has_value()}};
    if (flow) {
      row["name"] = flow->name;
      row["blocks"] = flow->blocks.size();
      if (!options.json)
        print_line(one_line(fmt::format("{}: ok  {}  {} blocks", file, flow->name, flow->blocks.size())));
    } else {
      ++wrong;
      exit_code = exit_code == kExitUsage ? kExitUsage : exit_code_of(flow.error());
      row["problems"] = problems_json(file, flow.error().message());
      if (!options.json) print_progress(printable(flow.error().message()) + "\n");
    }
    files.push_back(std::move(row));
  }
  if (options.json) print_line(dump_json(Json{{"files", std::move(files)}}));
  if (wrong == 0) return kExitOk;
  report_error("invalid_flow", fmt::format("{} of {} files cannot be used", wrong, options.files.size()),
               "docs/guide/flows.md");
  return exit_code;
}

int plan_flow(const FlowPlanOptions& options) {
  auto flow = read_flow_file(options.file);
  if (!flow) {
    print_progress(printable(flow.error().message()) + "\n");
    report_error("invalid_flow", fmt::format("{} cannot be used", options.file), "docs/guide/flows.md");
    return exit_code_of(flow.error());
  }
  flows::Costs costs;
  if (options.overhead_ms) {
    costs.activity = flows::Micros(static_cast<std::int64_t>(*options.overhead_ms * 1000));
    costs.step = costs.activity;
  }
  const flows::Graph graph = flows::graph_of(*flow);
  const auto plans = flows::all_plans(graph, costs);
  if (options.svg) {
    for (const flows::NamedPlan& one : plans) {
      if (one.planner == options.planner.value_or("V4") && !write_out(flows::picture(*flow, graph, one)))
        end_without_output(errno);
    }
    return kExitOk;
  }
  const Json told = flows::explain(*flow, graph, plans, costs);
  if (options.json) {
    print_line(dump_json(told));
    return kExitOk;
  }
  print_summary(told);
  for (const auto& [planner, plan] : told["planners"].items()) {
    if (!options.planner || *options.planner == planner) print_plan(planner, plan);
  }
  return kExitOk;
}

}  // namespace holdfast::app
