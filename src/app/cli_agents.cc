// Agents from the command line: the life of a definition, and what others describe.

#include "app/command_line.h"

namespace holdfast::app {

void CommandLine::add_agents() {
  CLI::App* agents = add("agents", "List agents, show one, or register definitions", agents_, list_agents);
  agents->add_option("name", agents_.name, "Agent to show");
  agents->add_option("--put", agents_.put, "Definition file to register (may be repeated)");
  add_api(agents, agents_.api);

  CLI::App* agent = root_.add_subcommand("agent", "The life of a definition: begin, check, apply, promote");
  agent->require_subcommand(1);
  add_definitions(agent);
  add_labels(agent);
}

void CommandLine::add_definitions(CLI::App* agent) {
  CLI::App* init = add("init", "Write a small agent.yaml to begin with", agent_init_, init_agent, agent);
  init->add_option("file", agent_init_.file, "File to write")->capture_default_str()->check(is_given());
  init->add_option("--name", agent_init_.name, "Name of the agent")->capture_default_str();

  CLI::App* validate = add("validate", "Check definitions, without a server: every mistake at once",
                           agent_validate_, validate_agents, agent);
  validate->add_option("file", agent_validate_.files, "Definition file (may be repeated)")->required();
  validate->add_flag("--json", agent_validate_.api.json, "Print JSON");

  CLI::App* apply = add("apply", "Register definitions: each becomes the current version of its agent",
                        agent_apply_, apply_agents, agent);
  apply->add_option("file", agent_apply_.files, "Definition file (may be repeated)")->required();
  apply->add_option("--label", agent_apply_.label, "Label that is to name the version, such as staging");
  apply->add_option("--by", agent_apply_.by, "Who does it (default: the user's name)");
  add_api(apply, agent_apply_.api);

  CLI::App* show = add("show", "Show an agent, or one version of it", agent_show_, show_agent, agent);
  show->add_option("agent", agent_show_.agent, "NAME, NAME@LABEL or NAME@VERSION")->required();
  add_api(show, agent_show_.api);

  CLI::App* list = add("list", "List agents", agent_list_, list_agents, agent);
  add_api(list, agent_list_.api);

  CLI::App* versions =
      add("versions", "List the versions of an agent, newest first", agent_versions_, list_versions, agent);
  versions->add_option("name", agent_versions_.agent, "Agent")->required();
  versions->add_option("--limit", agent_versions_.limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  add_api(versions, agent_versions_.api);

  CLI::App* diff = add("diff", "What two versions say differently", agent_diff_, diff_agents, agent);
  diff->add_option("before", agent_diff_.before, "A file, NAME, NAME@LABEL or NAME@VERSION")->required();
  diff->add_option("after", agent_diff_.after, "The same; left out: what applying the file would change");
  add_api(diff, agent_diff_.api);

  CLI::App* schema = agent->add_subcommand("schema", "Print the JSON Schema of agent.yaml, for editors");
  schema->callback([this] { chosen_ = print_schema; });
}

void CommandLine::add_labels(CLI::App* agent) {
  CLI::App* promote =
      add("promote", "Make a label name the version of another one", agent_promote_, promote_agent, agent);
  promote->add_option("agent", agent_promote_.agent, "NAME, or without --from NAME@VERSION")->required();
  promote->add_option("--from", agent_promote_.from, "Label whose version is taken");
  promote->add_option("--to", agent_promote_.to, "Label that is to name it")->required();
  promote->add_option("--expect", agent_promote_.expect, "Only if the label names this version now");
  add_signature(promote, agent_promote_);

  CLI::App* rollback = add("rollback", "Make a label name the version that it named before", agent_rollback_,
                           roll_back_agent, agent);
  rollback->add_option("name", agent_rollback_.agent, "Agent")->required();
  rollback->add_option("--label", agent_rollback_.label, "Label to roll back")->required();
  rollback->add_option("--expect", agent_rollback_.expect, "Only if the label names this version now");
  add_signature(rollback, agent_rollback_);

  CLI::App* labels =
      add("labels", "List the labels of an agent, or the moves of one", agent_labels_, list_labels, agent);
  labels->add_option("name", agent_labels_.agent, "Agent")->required();
  labels->add_option("label", agent_labels_.label, "Label whose moves are shown, newest first");
  add_api(labels, agent_labels_.api);
}

CLI::App* CommandLine::agent_commands() {
  for (CLI::App* one : root_.get_subcommands([](const CLI::App* sub) { return sub->get_name() == "agent"; }))
    return one;
  return root_.add_subcommand("agent", "Work with definitions of agents")->require_subcommand(1);
}

void CommandLine::add_foreign_tools() {
  CLI::App* import =
      agent_commands()->add_subcommand("import", "Make tools of what others describe")->require_subcommand(1);
  CLI::App* openapi = import->add_subcommand(
      "openapi", "Write an agent.yaml whose tools are the operations of an OpenAPI document");
  openapi->add_option("source", import_openapi_.source, "File, URL, or - for standard input")->required();
  openapi->add_option("--select", import_openapi_.select, "Only this operationId (may be repeated)")
      ->delimiter(',')
      ->allow_extra_args(false);
  openapi->add_option("--server", import_openapi_.server, "URL of the server, instead of the document's own");
  openapi->add_option("--name", import_openapi_.name, "Name of the agent (default: made of the title)");
  openapi->add_flag("--tools-only", import_openapi_.tools_only,
                    "Only the list of tools, for a definition that is there");
  openapi->callback([this] { chosen_ = [this] { return import_openapi(import_openapi_); }; });

  CLI::App* mcp = add("mcp", "List the tools of an MCP server, or call one", mcp_, mcp_command);
  mcp->add_option("server", mcp_.target, "URL, or -- and the absolute path of a program with its arguments")
      ->required();
  mcp->add_option("--call", mcp_.call, "Tool to call");
  mcp->add_option("--arguments", mcp_.arguments, "Its arguments (JSON)")->capture_default_str();
  mcp->add_option("--header", mcp_.headers,
                  "Header of requests, \"Name: value\", ${NAME} is filled in (may be repeated)")
      ->take_all()
      ->allow_extra_args(false);
  mcp->add_option("--env", mcp_.environment,
                  "NAME=value for the program, which gets no other (may be repeated)")
      ->take_all()
      ->allow_extra_args(false);
  mcp->add_flag("--json", mcp_.json, "Print JSON");
}

}  // namespace holdfast::app
