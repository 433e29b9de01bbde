// Flows from the command line.

#include <memory>

#include "app/cli_flow_files.h"
#include "app/command_line.h"
#include "app/flow_file_commands.h"
#include "app/flow_run_commands.h"

namespace holdfast::app {

void CommandLine::add_flows() {
  CLI::App* flow = root_.add_subcommand("flow", "Static graphs: check one, plan it, run it");
  flow->require_subcommand(1);

  CLI::App* validate = add("validate", "Check flow files, without a server: every mistake at once",
                           flow_validate_, validate_flows, flow);
  validate->add_option("file", flow_validate_.files, "Flow file (may be repeated)")->required();
  validate->add_flag("--json", flow_validate_.json, "Print JSON");

  CLI::App* plan = add("plan", "What each planner would make of a flow: activities, critical path, cost",
                       flow_plan_, plan_flow, flow);
  const auto happened = std::make_shared<FlowHappenedOptions>();
  CLI::Option_group* planned = plan->add_option_group("what", "What is planned");
  planned->add_option("file", flow_plan_.file, "Flow file");
  planned->add_option("--run", happened->run, "A run's plan, beside what became of it");
  planned->require_option(1);
  plan->add_option("--api", happened->api.api, "With --run: address of the HTTP API");
  plan->add_option("--planner", flow_plan_.planner, "Only this one's activities")
      ->check(CLI::IsMember({"V1", "V2", "V3", "V4"}));
  plan->add_option("--overhead", flow_plan_.overhead_ms,
                   "Milliseconds that an activity costs besides its blocks")
      ->check(CLI::Range(0.0, 1e6));
  CLI::Option* json = plan->add_flag("--json", flow_plan_.json, "Print JSON");
  plan->callback([this, happened] {
    happened->api.json = flow_plan_.json;
    chosen_ = [this, happened] {
      return happened->run.empty() ? plan_flow(flow_plan_) : plan_of_run(*happened);
    };
  });
  plan->add_flag("--svg", flow_plan_.svg, "Print a picture of one plan (V4, or --planner)")->excludes(json);

  // Each command's options live as long as it.
  const auto add_here = [&](const char* name, const char* help, auto options, auto command) {
    CLI::App* sub = flow->add_subcommand(name, help);
    sub->callback([this, options, command] { chosen_ = [options, command] { return command(*options); }; });
    return sub;
  };
  const auto applied = std::make_shared<FlowApplyOptions>();
  CLI::App* apply =
      add_here("apply", "Register flows: each becomes the current version of its name", applied, apply_flows);
  apply->add_option("file", applied->files, "Flow file (may be repeated)")->required();
  add_api(apply, applied->api);

  const auto listed = std::make_shared<FlowListOptions>();
  CLI::App* list = add_here("list", "List registered flows, or show one", listed, list_flows);
  list->add_option("name", listed->name, "Flow to show");
  add_api(list, listed->api);
  const auto choose = [this](CLI::App* sub, std::function<int()> command) {
    sub->callback([this, command] { chosen_ = command; });
  };
  add_flow_run(*flow, choose, add_api);
  add_flow_files(*flow, choose, add_api);
}

void CommandLine::add_sandbox() {
  CLI::App* sandbox =
      root_.add_subcommand("sandbox", "Code as flows run it: without a server, in the same processes");
  sandbox->require_subcommand(1);

  CLI::App* eval =
      add("eval", "Evaluate a script, an expression or a template", sandbox_, evaluate_in_sandbox, sandbox);
  CLI::Option_group* code = eval->add_option_group("code", "What is evaluated");
  code->add_option(
      "file", sandbox_.file,
      "Script (JavaScript, of a file *.py or with --python Python): the body of a function; '-' is\n"
      "standard input");
  code->add_option("-e,--expression", sandbox_.expression, "Expression (JavaScript)");
  code->add_option("-t,--template", sandbox_.text, "Text with {{ expressions }}");
  code->require_option(1);
  eval->add_flag("--python", sandbox_.python, "The script is Python");
  eval->add_option("--python-packages", sandbox_.python_packages, "Folder that it imports from, read-only")
      ->check(CLI::ExistingDirectory);
  eval->add_option("--monty", sandbox_.monty,
                   "The script is Python, run by Monty: its program (PyPI pydantic-monty-runtime)")
      ->check(CLI::ExistingFile);
  CLI::Option* input =
      eval->add_option("--input", sandbox_.input, "JSON object: the names that the code sees");
  eval->add_option("--input-file", sandbox_.input_file, "The same, from a file")->excludes(input);
  eval->add_flag("--decimals-as-text", sandbox_.decimals_as_text, "1.10 arrives as \"1.10\"");
  eval->add_option("--time-ms", sandbox_.time_ms, "Milliseconds of processor time (50; Python: 1000)");
  eval->add_option("--memory-mib", sandbox_.memory_mib, "MiB of values (16; Python: 64)")
      ->check(CLI::Range(1, 128));
  eval->add_option("--level", sandbox_.level, "Only this level: 1 (bubblewrap) or 2 (Landlock)")
      ->check(CLI::IsMember({1, 2}));
  eval->add_flag("--json", sandbox_.json, "Print result, log and failure as JSON");
}

}  // namespace holdfast::app
