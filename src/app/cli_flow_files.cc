// Flow files from the command line.

#include "app/cli_flow_files.h"

#include <memory>

#include "app/flow_file_commands.h"
#include "app/flow_run_commands.h"
#include "app/seconds.h"

namespace holdfast::app {

void add_flow_run(CLI::App& flow, const ChooseCommand& choose, const AddApi& add_api) {
  const auto run = std::make_shared<RunOptions>();
  const auto part = std::make_shared<FlowPartOptions>();
  CLI::App* runs = flow.add_subcommand("run", "Start a run of a flow and follow it");
  choose(runs, [run, part] { return run_flow(*run, *part); });
  runs->add_option("flow", run->agent, "Name of a registered flow, or a flow file")->required();
  runs->add_option("input,--input", run->input, "Input: JSON, or text");
  runs->add_option("--input-file", run->input_file, "Read the input from a file; - is standard input");
  runs->add_option("--id", run->id, "Run id of your choice; the same id and input again is the same run");
  runs->add_flag("--detach,-d", run->detach, "Print the run id and return");
  add_timeout(*runs, run->timeout);
  add_api(runs, run->api);
  CLI::Option* until = runs->add_option(
      "--until", part->until, "Of a file, here and without a server: what leads to this block, and it");
  runs->add_option("--only", part->only, "The same: this block alone")->excludes(until);
  runs->add_option("--pinned", part->pinned,
                   "With --until or --only: a file with `pinned`, results of blocks");
  runs->add_option("--case", part->of_case,
                   "Of --pinned: a file of cases, and the case whose results are taken");
}

void add_flow_files(CLI::App& flow, const ChooseCommand& choose, const AddApi& add_api) {
  // Each command's options live as long as it.
  const auto add_here = [&](const char* name, const char* help, auto options, auto command) {
    CLI::App* sub = flow.add_subcommand(name, help);
    choose(sub, [options, command] { return command(*options); });
    return sub;
  };
  choose(flow.add_subcommand("schema", "Print the JSON Schema of flow files, for editors"),
         print_flow_schema);

  const auto layout = std::make_shared<FlowFmtOptions>();
  CLI::App* fmt = add_here("fmt", "Lay flow files out; comments and order stay, and so does what they say",
                           layout, format_flows);
  fmt->add_option("file", layout->files, "Flow file (may be repeated); - is standard input")->required();
  fmt->add_flag("--check", layout->check,
                "Write nothing; name the files that are laid out otherwise (exit code 1)");

  const auto changed = std::make_shared<FlowDiffOptions>();
  CLI::App* diff =
      add_here("diff", "What two flows say differently, by block, and what that means for the plan", changed,
               diff_flows);
  diff->add_option("before", changed->before, "A file, NAME or NAME@VERSION")->required();
  diff->add_option("after", changed->after, "The same; left out: what applying the file would change");
  add_api(diff, changed->api);

  const auto tested = std::make_shared<FlowTestOptions>();
  CLI::App* test =
      add_here("test", "Run the cases beside a flow, without a server: FILE.test.yaml", tested, test_flow);
  test->add_option("file", tested->file, "Flow file, or the file of its cases")->required();
  test->add_option("--cases", tested->cases, "File of cases, instead of the one beside the flow");
  test->add_option("--case", tested->only, "Only the case of this name");
  test->add_flag("--json", tested->json, "Print JSON");

  const auto imported = std::make_shared<FlowImportOptions>();
  CLI::App* import =
      add_here("import",
               "Make a flow of an export of n8n, or of code of OpenAI's Agents SDK, and say what did not map",
               imported, import_flow);
  import
      ->add_option("file", imported->file, "Export (JSON) or code (Python, TypeScript); - is standard input")
      ->required();
  import->add_option("--name", imported->name, "Name of the flow (default: made of the workflow's)");
  import->add_option("--out", imported->folder, "Folder for the flow, its agents and the report");
  import->add_flag("--json", imported->json, "Print the report as JSON");
}

}  // namespace holdfast::app
