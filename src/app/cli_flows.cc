// Flows from the command line.

#include "app/command_line.h"

namespace holdfast::app {

void CommandLine::add_flows() {
  CLI::App* flow =
      root_.add_subcommand("flow", "Static graphs: check one, see what each planner makes of it");
  flow->require_subcommand(1);

  CLI::App* validate = add("validate", "Check flow files, without a server: every mistake at once",
                           flow_validate_, validate_flows, flow);
  validate->add_option("file", flow_validate_.files, "Flow file (may be repeated)")->required();
  validate->add_flag("--json", flow_validate_.json, "Print JSON");

  CLI::App* plan = add("plan", "What each planner would make of a flow: activities, critical path, cost",
                       flow_plan_, plan_flow, flow);
  plan->add_option("file", flow_plan_.file, "Flow file")->required();
  plan->add_option("--planner", flow_plan_.planner, "Only this one's activities")
      ->check(CLI::IsMember({"V1", "V2", "V3", "V4"}));
  plan->add_option("--overhead", flow_plan_.overhead_ms,
                   "Milliseconds that an activity costs besides its blocks")
      ->check(CLI::Range(0.0, 1e6));
  CLI::Option* json = plan->add_flag("--json", flow_plan_.json, "Print JSON");
  plan->add_flag("--svg", flow_plan_.svg, "Print a picture of one plan (V4, or --planner)")->excludes(json);
}

}  // namespace holdfast::app
