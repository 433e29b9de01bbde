#include "app/cli.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "activities/catalog.h"
#include "app/commands.h"
#include "app/engine_role.h"
#include "app/exit_code.h"
#include "app/memory_plan.h"
#include "app/output.h"
#include "app/steering_commands.h"

namespace holdfast::app {

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 conflict, 5 run failed, 6 timeout,\n"
    "70 the disk failed a server, 130 interrupted.\n"
    "Data goes to stdout, messages to stderr; NO_COLOR is honoured.";

// Each command fills its options while parsing and runs afterwards.
class CommandLine {
 public:
  explicit CommandLine(const Storage& storage) {
    dev_.storage = server_.storage = storage;
    root_.require_subcommand(1);
    root_.footer(kFooter);
    root_.set_help_all_flag("--help-all", "Help of every command");
    root_.set_version_flag("--version", std::string("holdfast ") + HOLDFAST_VERSION);
    add_servers();
    add_runs();
    add_steering();
    add_approvals();
    add_agents();
    add_memory();
    add_schedules();
    add_tools();
    add_foreign_tools();
  }

  int run(int argc, char** argv) {
    // Asked before parsing, because what cannot be parsed is an error too.
    std::vector<std::string> arguments(argv + 1, argv + argc);
    auto options_end = std::find(arguments.begin(), arguments.end(), "--");
    if (std::find(arguments.begin(), options_end, "--json") != options_end) errors_as_json();
    try {
      root_.parse(argc, argv);
    } catch (const CLI::Success& help) {
      std::ostringstream text;
      root_.exit(help, text, text);
      if (!write_out(text.str())) end_without_output(errno);
      return kExitOk;
    } catch (const CLI::ParseError& error) {
      report_error("usage", complaint(error, arguments),
                   "try 'holdfast --help', or 'holdfast COMMAND --help'");
      return kExitUsage;
    }
    return run_chosen();
  }

 private:
  // What a command throws ends here. It is mostly an answer that says something else than we read in it: of
  // another version, or of no Holdfast at all.
  int run_chosen() const {
    try {
      return chosen_ ? chosen_() : kExitUsage;
    } catch (const nlohmann::json::exception& error) {
      report_error("unexpected_answer", fmt::format("the answer cannot be understood: {}", error.what()),
                   "is it from a Holdfast server of this version?");
    } catch (const std::exception& error) {
      report_error("internal", fmt::format("this went wrong: {}", error.what()));
    }
    return kExitError;
  }

  // A word that is no command is only an argument too many to the parser.
  std::string complaint(const CLI::ParseError& error, const std::vector<std::string>& arguments) const {
    auto word = std::find_if(arguments.begin(), arguments.end(),
                             [](const std::string& argument) { return !argument.starts_with('-'); });
    if (root_.get_subcommands().empty() && word != arguments.end())
      return "there is no command '" + *word + "'";
    return error.what();
  }

  template <typename Options>
  CLI::App* add(const char* name, const char* help, Options& options, int (*command)(const Options&),
                CLI::App* parent = nullptr) {
    CLI::App* sub = (parent != nullptr ? parent : &root_)->add_subcommand(name, help);
    sub->callback([this, &options, command] { chosen_ = [&options, command] { return command(options); }; });
    return sub;
  }

  // An empty path would be the directory that the command happens to run in.
  static CLI::Validator is_given() {
    return CLI::Validator(
        [](std::string& value) { return value.empty() ? std::string("must not be empty") : std::string(); },
        "");
  }
  static CLI::Validator is_engine() {
    return CLI::Validator([](std::string& value) { return EngineRole::check_target(value).message(); }, "");
  }

  // A wrong address is not repeated: it may hold a password.
  static void add_platform_store(CLI::App* sub, const std::function<void(const std::string&)>& keep,
                                 bool required = false) {
    sub->add_option_function<std::string>(
           "--platform-store", keep,
           "Platform store on PostgreSQL, postgres://USER@HOST:PORT/DATABASE[?schema=NAME], instead of "
           "files;\n"
           "the password comes from PGPASSWORD or a passfile")
        ->envname("HOLDFAST_PLATFORM_STORE")
        ->type_name("ADDRESS")
        ->required(required);
  }

  static CLI::Validator is_memory() {
    return CLI::Validator(
        [](std::string& value) {
          const auto bytes = parse_memory(value);
          return bytes ? std::string() : bytes.error().message();
        },
        "");
  }

  static void add_api(CLI::App* sub, ApiOptions& api) {
    sub->add_option("--api", api.api,
                    "Address of the HTTP API (default: HOLDFAST_API, ./.holdfast, port 8233)");
    sub->add_flag("--json", api.json, "Print JSON");
  }

  void add_server_options(CLI::App* sub, ServeOptions& options) {
    sub->add_option("--data", options.data, "Data directory")->capture_default_str()->check(is_given());
    sub->add_option("--grpc", options.grpc,
                    "gRPC address, HOST:PORT (default: 127.0.0.1:7233 or the next free port)");
    sub->add_option("--http", options.http,
                    "HTTP address, HOST:PORT (default: 127.0.0.1:8233 or the next free port)");
    sub->add_option("--engine", options.engine,
                    "Run on a Temporal server, temporal://HOST:PORT, instead of the own engine")
        ->check(is_engine());
    add_platform_store(sub, [&options](const std::string& text) { options.platform_store = text; });
    sub->add_option("--namespace", options.namespace_name, "Namespace of the agents")->capture_default_str();
    sub->add_option("--agent", options.agents,
                    "Agent definition to register; may use what it names (may be repeated)");
    sub->add_option(
           "--grant", options.grants,
           "Let agents that come over the API use host:HOST[:PORT][/CLASS], key:NAME@HOST[:PORT],\n"
           "env:NAME[@HOST[:PORT]], database:PATH, database.write:PATH or\n"
           "command:[\"/PROGRAM\",\"ARGUMENT\"] (may be repeated; or HOLDFAST_GRANTS, with blanks between "
           "them)")
        ->take_all();
    sub->add_flag("--renew-tools", options.renew_tools,
                  "Ask the MCP servers of --agent files again what tools they have, and accept what changed");
    sub->add_option("--grants", options.grant_files, "File of grants (may be repeated)");
    sub->add_option("--limits", options.limits,
                    "File of what model keys may be used for: requests and tokens a minute, calls at a time");
    sub->add_option("--prices", options.price_files,
                    "File of model prices, which go before those that are compiled in (may be repeated)");
    sub->add_option_function<std::string>(
           "--memory", [&options](const std::string& text) { options.memory = *parse_memory(text); },
           "Memory for requests, replies and caches, as in 512MiB (default: a quarter of the machine's, at "
           "most 4GiB)")
        ->check(is_memory());
    sub->add_option("--search-attribute", options.search_attributes,
                    "Search attribute to register in the namespace, NAME=Type (may be repeated)")
        ->envname("HOLDFAST_SEARCH_ATTRIBUTES")
        ->delimiter(',');
    sub->add_option_function<double>(
           "--shortest-retention",
           [&options](double s) {
             options.shortest_retention = std::chrono::milliseconds(static_cast<std::int64_t>(s * 1000));
           },
           "Seconds: the least that a namespace may keep its closed runs (default: 3600)")
        ->check(CLI::Range(1.0, 1e9));
    sub->add_flag("--json", options.json, "Print the readiness line as JSON");
  }

  void add_servers() {
    CLI::App* dev =
        add("dev", "Server with a scripted model and a running demo agent; data in ./.holdfast", dev_, serve);
    add_server_options(dev, dev_);
    dev_.dev = true;
    CLI::App* server = add("server", "Server: engine, worker, HTTP API and console", server_, serve);
    add_server_options(server, server_);
  }

  void add_runs() {
    CLI::App* run = add("run", "Start a run of an agent and follow it", run_, run_agent);
    run->add_option("agent", run_.agent, "Name of a registered agent, or a definition file")->required();
    run->add_option("input", run_.input, "Input: text, or JSON");
    run->add_option("--input-file", run_.input_file, "Read the input from a file; - is standard input");
    run->add_option("--id", run_.id, "Run id of your choice; the same id and input again is the same run");
    run->add_option("--conversation", run_.conversation,
                    "Go on in that conversation, behind the runs that are there");
    run->add_option("--context", run_.context,
                    "NAME=VALUE that tools bind, VALUE as JSON or else a text; may be repeated");
    run->add_option("--notify", run_.notify,
                    "File with a list of whom to tell of the run, as `notify` of agent.yaml");
    run->add_flag("--detach,-d", run_.detach, "Print the run id and return");
    run->add_option_function<double>(
        "--timeout",
        [this](double s) { run_.timeout = std::chrono::milliseconds(static_cast<long>(s * 1000)); },
        "Seconds to wait for the end (exit code 6); the run goes on");
    add_api(run, run_.api);

    CLI::App* runs = add("runs", "List runs, or show one", runs_, list_runs);
    runs->add_option("id", runs_.id, "Run to show");
    runs->add_option("--status", runs_.status, "Only runs in this status");
    runs->add_option("--agent", runs_.agent, "Only runs of this agent");
    runs->add_option("--limit", runs_.limit, "At most so many")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    add_api(runs, runs_.api);

    CLI::App* conversation =
        add("conversation", "Print what was said in a conversation", conversation_, print_conversation);
    conversation->add_option("id", conversation_.id, "Conversation: a run, or what --conversation named")
        ->required();
    conversation->add_option("--branch", conversation_.branch, "Of its branches")->capture_default_str();
    add_api(conversation, conversation_.api);

    CLI::App* cancel = add("cancel", "Ask a run to stop", cancel_, stop_run);
    cancel->add_option("id", cancel_.id, "Run")->required();
    cancel->add_option("--reason", cancel_.reason, "Why");
    add_api(cancel, cancel_.api);
    terminate_.terminate = true;
    CLI::App* terminate = add("terminate", "Stop a run at once", terminate_, stop_run);
    terminate->add_option("id", terminate_.id, "Run")->required();
    terminate->add_option("--reason", terminate_.reason, "Why");
    add_api(terminate, terminate_.api);

    CLI::App* erase = add("delete", "Delete a run's history, steps and log; an open run is terminated first",
                          delete_, delete_run);
    erase->add_option("id", delete_.id, "Run")->required();
    add_api(erase, delete_.api);

    CLI::App* budget =
        add("budget", "Raise budgets of a run; one that waits for them goes on", budget_, raise_budget);
    budget->add_option("run", budget_.run, "Run")->required();
    budget->add_option("--money", budget_.money, "Dollars, as in 5 or 2.50");
    budget->add_option("--tokens", budget_.tokens, "Tokens");
    budget->add_option("--calls", budget_.calls, "Calls of models");
    budget->add_option("--tool-calls", budget_.tool_calls, "Calls of tools");
    budget->add_option("--depth", budget_.depth, "How deep sub-agents may go");
    budget->add_option("--wall-time", budget_.wall_time, "Since the run began, as in 2h");
    add_api(budget, budget_.api);

    CLI::App* usage = add("usage", "What was used and what it cost", usage_, print_usage);
    usage->add_option("--by", usage_.by, "agent, model, version, tool or day")
        ->capture_default_str()
        ->check(CLI::IsMember({"agent", "model", "version", "tool", "day"}));
    usage->add_option("--from", usage_.from,
                      "First day, UTC, as in 2026-11-01 (default: 29 days before the last)");
    usage->add_option("--to", usage_.to, "Last day (default: today)");
    add_api(usage, usage_.api);

    CLI::App* output =
        add("output", "Print all that a step of a run gave, or list the steps", output_, print_output);
    output->add_option("run", output_.run, "Run")->required();
    output->add_option("step", output_.step, "Step; without it the steps are listed");
    output->add_option("--search", output_.search, "List only steps that hold this text");
    add_api(output, output_.api);

    CLI::App* events = add("events", "Print the events of a run", events_, print_events);
    events->add_option("run", events_.run, "Run")->required();
    events->add_option("--from", events_.from, "Only events after this cursor");
    events->add_flag("--follow,-f", events_.follow, "Wait for more until the run ends");
    add_api(events, events_.api);
  }

  void add_steer(CLI::App* sub, SteerOptions& options, const char* verb) {
    options.verb = verb;
    sub->add_option("run", options.run, "Run")->required();
    sub->add_option("--by", options.by, "Who says so (default: the user's name)");
    add_api(sub, options.api);
  }

  void add_steering() {
    CLI::App* send = add("send", "Send a message into a run that is under way", send_, send_message);
    send->add_option("run", send_.run, "Run")->required();
    send->add_option("text", send_.text, "What to say");
    send->add_option("--input-file", send_.input_file, "Read it from a file; - is standard input");
    send->add_option("--id", send_.id, "Id of your choice; the same id again is the same message");
    send->add_option("--by", send_.by, "Who says so (default: the user's name)");
    add_api(send, send_.api);

    CLI::App* pause = add("pause", "Let nothing new begin in a run", pause_, steer_run);
    add_steer(pause, pause_, "pause");
    pause->add_option("--reason", pause_.reason, "Why");
    CLI::App* resume =
        add("resume", "Go on with a run that is paused, or parked at a failed step", resume_, steer_run);
    add_steer(resume, resume_, "resume");
    resume->add_option("--version", resume_.version, "With this version of the agent; current: the newest");
    CLI::App* fail = add("fail", "End a parked run with its failure", fail_, steer_run);
    add_steer(fail, fail_, "fail");
    fail->add_option("--reason", fail_.reason, "Why");

    CLI::App* retry =
        add("retry", "Take up a closed run under a new id, behind what it did", retry_, retry_run);
    retry->add_option("run", retry_.run, "Run")->required();
    retry->add_option("--id", retry_.id, "Id of the new run (default: one made of the old)");
    retry->add_option("--version", retry_.version, "With this version of the agent; current: the newest");
    retry->add_option("--by", retry_.by, "Who says so (default: the user's name)");
    add_api(retry, retry_.api);

    CLI::App* bulk =
        add("bulk", "Pause, resume, fail, cancel or retry all runs in a status", bulk_, bulk_runs);
    bulk->add_option("action", bulk_.action, "pause, resume, fail, cancel or retry")
        ->required()
        ->check(CLI::IsMember({"pause", "resume", "fail", "cancel", "retry"}));
    bulk->add_option("--status", bulk_.status, "Of which runs; also paused and parked")->required();
    bulk->add_option("--agent", bulk_.agent, "Only of this agent");
    bulk->add_option("--limit", bulk_.limit, "At most so many (default: all)")
        ->check(CLI::Range(1, 1'000'000));
    bulk->add_flag("--dry-run", bulk_.dry_run, "Only say which");
    bulk->add_option("--reason", bulk_.reason, "Why");
    bulk->add_option("--version", bulk_.version, "resume, retry: with this version of the agent");
    bulk->add_option("--by", bulk_.by, "Who says so (default: the user's name)");
    add_api(bulk, bulk_.api);
  }

  // The commands below `schedule`.
  void add_schedules() {
    CLI::App* group = root_.add_subcommand("schedule", "Run agents by the clock");
    group->require_subcommand(1);
    const auto one = [&](const char* name, const char* help, int (*command)(const ScheduleOptions&),
                         bool named = true) {
      CLI::App* sub = group->add_subcommand(name, help);
      sub->callback([this, command] { chosen_ = [this, command] { return command(schedule_); }; });
      if (named) sub->add_option("name", schedule_.name, "Schedule")->required();
      add_api(sub, schedule_.api);
      return sub;
    };
    CLI::App* create = one("create", "Start runs of an agent when they are due", create_schedule);
    create->add_option("agent", schedule_.agent, "Name of a registered agent")->required();
    create->add_option("input", schedule_.input, "Input of each run: text, or JSON");
    create->add_option("--cron", schedule_.cron, "Minute hour day month weekday, or @daily and the like")
        ->required();
    create->add_option("--time-zone", schedule_.time_zone, "On whose clocks, as in Europe/Berlin")
        ->capture_default_str();
    create
        ->add_option("--overlap", schedule_.overlap, "While the run before is open: skip, buffer_one, allow")
        ->capture_default_str()
        ->check(CLI::IsMember({"skip", "buffer_one", "allow"}));
    create->add_option("--catch-up", schedule_.catch_up_seconds, "Seconds that a run may be late")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 31622400.0));
    create->add_option("--conversation", schedule_.conversation, "That all its runs go on in");
    create->add_option("--version", schedule_.version,
                       "Of the agent (default: the current one, at each start)");
    one("list", "List schedules", list_schedules, false);
    one("show", "How it stands, and when it is due next", show_schedule);
    one("pause", "Start nothing until it is resumed", pause_schedule)
        ->add_option("--note", schedule_.note, "Why");
    one("resume", "Go on with what is due from now on", resume_schedule);
    one("trigger", "One run now, whatever is open", trigger_schedule);
    one("delete", "No more runs; those that are open go on", delete_schedule);
  }

  void add_approvals() {
    CLI::App* list = add("approvals", "List what waits for a decision", approvals_, list_approvals);
    list->add_option("--status", approvals_.status, "pending, approved, edited, rejected, expired or all")
        ->capture_default_str()
        ->check(CLI::IsMember({"pending", "approved", "edited", "rejected", "expired", "all"}));
    list->add_option("--run", approvals_.run, "Only those of this run");
    add_api(list, approvals_.api);

    CLI::App* approve = add("approve", "Decide an approval", approve_, decide_approval);
    approve->add_option("id", approve_.id, "Approval, or a run that waits for exactly one")->required();
    auto* reject = approve->add_flag("--reject", approve_.reject, "Reject instead");
    approve->add_option("--arguments", approve_.arguments, "Approve with these arguments instead (JSON)")
        ->excludes(reject);
    approve->add_option("--comment", approve_.comment, "Said to the agent and kept with the decision");
    approve->add_option("--by", approve_.by, "Who decides (default: the user's name)");
    add_api(approve, approve_.api);
  }

  void add_agents() {
    CLI::App* agents = add("agents", "List agents, show one, or register definitions", agents_, list_agents);
    agents->add_option("name", agents_.name, "Agent to show");
    agents->add_option("--put", agents_.put, "Definition file to register (may be repeated)");
    add_api(agents, agents_.api);

    CLI::App* agent = root_.add_subcommand("agent", "The life of a definition: begin, check, apply, promote");
    agent->require_subcommand(1);
    add_definitions(agent);
    add_labels(agent);
  }

  void add_definitions(CLI::App* agent) {
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

  void add_labels(CLI::App* agent) {
    CLI::App* promote =
        add("promote", "Make a label name the version of another one", agent_promote_, promote_agent, agent);
    promote->add_option("agent", agent_promote_.agent, "NAME, or without --from NAME@VERSION")->required();
    promote->add_option("--from", agent_promote_.from, "Label whose version is taken");
    promote->add_option("--to", agent_promote_.to, "Label that is to name it")->required();
    promote->add_option("--expect", agent_promote_.expect, "Only if the label names this version now");
    add_signature(promote, agent_promote_);

    CLI::App* rollback = add("rollback", "Make a label name the version that it named before",
                             agent_rollback_, roll_back_agent, agent);
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

  template <typename Options>
  static void add_signature(CLI::App* sub, Options& options) {
    sub->add_option("--by", options.by, "Who does it (default: the user's name)");
    sub->add_option("--comment", options.comment, "Why; kept with the move");
    add_api(sub, options.api);
  }

  void add_memory() {
    CLI::App* memory = root_.add_subcommand("memory", "What agents remember, per subject");
    memory->require_subcommand(1);
    const auto add_to = [&](const char* name, const char* help, int (*command)(const MemoryOptions&)) {
      CLI::App* sub = memory->add_subcommand(name, help);
      sub->callback([this, command] { chosen_ = [this, command] { return command(memory_); }; });
      add_api(sub, memory_.api);
      return sub;
    };
    CLI::App* list = add_to("list", "List subjects, or the entries of one", list_memory);
    list->add_option("subject", memory_.subject, "Subject");
    CLI::App* show = add_to("show", "Show what is remembered about a subject", show_memory);
    show->add_option("subject", memory_.subject, "Subject")->required()->check(is_given());
    show->add_option("name", memory_.name, "One entry, with its versions");
    show->add_option("--search", memory_.search, "Only what fits these words, best first");
    CLI::App* erase = add_to("erase", "Erase everything that is remembered about a subject", erase_memory);
    erase->add_option("subject", memory_.subject, "Subject")->required()->check(is_given());
    erase->add_option("--by", memory_.by, "Who erases it (default: the user's name)");
    erase->add_option("--reason", memory_.reason, "Why, for the audit log");
  }

  // The group of commands; made by the first that belongs to it.
  CLI::App* agent_commands() {
    for (CLI::App* one :
         root_.get_subcommands([](const CLI::App* sub) { return sub->get_name() == "agent"; }))
      return one;
    return root_.add_subcommand("agent", "Work with definitions of agents")->require_subcommand(1);
  }

  // Tools that others describe.
  void add_foreign_tools() {
    CLI::App* import = agent_commands()
                           ->add_subcommand("import", "Make tools of what others describe")
                           ->require_subcommand(1);
    CLI::App* openapi = import->add_subcommand(
        "openapi", "Write an agent.yaml whose tools are the operations of an OpenAPI document");
    openapi->add_option("source", import_openapi_.source, "File, URL, or - for standard input")->required();
    openapi->add_option("--select", import_openapi_.select, "Only this operationId (may be repeated)")
        ->delimiter(',')
        ->allow_extra_args(false);
    openapi->add_option("--server", import_openapi_.server,
                        "URL of the server, instead of the document's own");
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

  void add_tools() {
    CLI::App* doctor_command = add("doctor", "Check ports, clock, disk and data directory", doctor_, doctor);
    doctor_command->add_option("--data", doctor_.data, "Data directory")
        ->capture_default_str()
        ->check(is_given());
    add_platform_store(doctor_command, [this](const std::string& text) { doctor_.platform_store = text; });
    doctor_command->add_flag("--json", doctor_.json, "Print JSON");

    CLI::App* migrate_command =
        add("migrate", "Show, or with --apply take, what a platform store on PostgreSQL needs", migrate_,
            migrate);
    add_platform_store(
        migrate_command, [this](const std::string& text) { migrate_.platform_store = text; }, true);
    migrate_command
        ->add_option("--from", migrate_.from, "Data directory whose platform store is copied there, verified")
        ->check(is_given());
    migrate_command->add_flag("--apply", migrate_.apply, "Do it");
    migrate_command->add_flag("--json", migrate_.json, "Print JSON");

    CLI::App* backup_command =
        add("backup", "Copy a data directory at one moment, also while its server runs", backup_, backup);
    backup_command->add_option("folder", backup_.folder, "New or empty folder for the backup")
        ->required()
        ->check(is_given());
    backup_command->add_option("--data", backup_.data, "Data directory")
        ->capture_default_str()
        ->check(is_given());
    backup_command->add_flag("--json", backup_.json, "Print JSON");

    CLI::App* restore_command = add("restore", "Make a data directory of a backup", restore_, restore);
    restore_command->add_option("folder", restore_.folder, "The backup")->required()->check(is_given());
    restore_command->add_option("--data", restore_.data, "New or empty folder for the data directory")
        ->required()
        ->check(is_given());
    restore_command->add_flag("--json", restore_.json, "Print JSON");

    CLI::App* demo_command =
        add("demo", "Kill a server in mid-run and see that nothing is lost or repeated", demo_, demo);
    demo_command->add_option("--kill-at", demo_.kill_at, "Step 1 to 10, receiver, refund, answer or random")
        ->capture_default_str();
    demo_command->add_option("--engine", demo_.engine, "Run on a Temporal server, temporal://HOST:PORT")
        ->check(is_engine());
    demo_command->add_flag("--keep", demo_.keep, "Keep shop, data and log");
    demo_command->add_flag("--json", demo_.json, "Print JSON");

    CLI::App* model =
        add("scripted-model", "Serve a model that answers from a script", model_, scripted_model);
    model->add_option("script", model_.script, "Script (YAML)")->required();
    model->add_option("--port", model_.port, "Port on 127.0.0.1; 0: any free one")->capture_default_str();
    model->add_flag("--json", model_.json, "Print JSON");

    CLI::App* schema = root_.add_subcommand("schema", "Print the JSON Schema of agent.yaml, for editors");
    schema->callback([this] { chosen_ = print_schema; });

    CLI::App* version = root_.add_subcommand("version", "Print the version");
    version->add_flag("--json", version_json_, "Print JSON");
    version->callback([this] { chosen_ = [this] { return print_version(version_json_); }; });
  }

  CLI::App root_{"Holdfast: durable AI agents and workflows", "holdfast"};
  std::function<int()> chosen_;
  ServeOptions dev_, server_;
  RunOptions run_;
  RunsOptions runs_;
  ConversationOptions conversation_;
  ScheduleOptions schedule_;
  StopOptions cancel_, terminate_;
  DeleteOptions delete_;
  OutputOptions output_;
  MemoryOptions memory_;
  EventsOptions events_;
  SendOptions send_;
  SteerOptions pause_, resume_, fail_;
  RetryOptions retry_;
  BulkOptions bulk_;
  BudgetOptions budget_;
  UsageOptions usage_;
  ApprovalsOptions approvals_;
  ApproveOptions approve_;
  AgentsOptions agents_, agent_list_;
  AgentInitOptions agent_init_;
  AgentFilesOptions agent_validate_, agent_apply_;
  AgentNameOptions agent_show_, agent_versions_;
  DiffOptions agent_diff_;
  PromoteOptions agent_promote_;
  RollbackOptions agent_rollback_;
  LabelsOptions agent_labels_;
  DoctorOptions doctor_;
  MigrateOptions migrate_;
  BackupOptions backup_;
  RestoreOptions restore_;
  DemoCommandOptions demo_;
  ScriptedModelOptions model_;
  McpOptions mcp_;
  ImportOpenapiOptions import_openapi_;
  bool version_json_ = false;
};

}  // namespace

int run_command_line(int argc, char** argv, const Storage& storage) {
  // Two heaps for all threads: an idle server stays small.
  mallopt(M_ARENA_MAX, 2);
  std::signal(SIGPIPE, SIG_IGN);
  // Whatever this program writes, its databases' logs included, is its user's alone.
  ::umask(S_IRWXG | S_IRWXO);
  return CommandLine(storage).run(argc, argv);
}

int print_schema() {
  print_line(agent::definition_schema());
  return kExitOk;
}

int print_version(bool json) {
  if (json) {
    print_line(std::string(R"({"name":"holdfast","version":")") + HOLDFAST_VERSION +
               R"(","protocol":"temporal.api.workflowservice.v1"})");
  } else {
    print_line(std::string("holdfast ") + HOLDFAST_VERSION);
  }
  return kExitOk;
}

}  // namespace holdfast::app
