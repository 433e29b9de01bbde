#include "app/cli.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "activities/catalog.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/engine_role.h"
#include "app/exit_code.h"
#include "app/memory_plan.h"
#include "app/output.h"
#include "os/unix_socket.h"

namespace holdfast::app {

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 conflict, 5 run failed, 6 timeout,\n"
    "70 the disk failed a server, 130 interrupted.\n"
    "Data goes to stdout, messages to stderr; NO_COLOR is honoured.";

// Each command fills its options while parsing and runs afterwards.

}  // namespace

CommandLine::CommandLine(const Storage& storage) {
  dev_.storage = server_.storage = storage;
  root_.require_subcommand(1);
  root_.footer(kFooter);
  root_.set_help_all_flag("--help-all", "Help of every command");
  root_.set_version_flag("--version", std::string("holdfast ") + HOLDFAST_VERSION);
  add_servers();
  add_runs();
  add_money();
  add_steering();
  add_forks();
  add_approvals();
  add_links();
  add_agents();
  add_flows();
  add_sandbox();
  add_policy();
  add_memory();
  add_schedules();
  add_identity();
  add_secrets();
  add_groups();
  add_grants();
  add_audit();
  add_tools();
  add_foreign_tools();
}

int CommandLine::run(int argc, char** argv) {
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
    report_error("usage", complaint(error, arguments), "try 'holdfast --help', or 'holdfast COMMAND --help'");
    return kExitUsage;
  }
  return run_chosen();
}

int CommandLine::run_chosen() const {
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

std::string CommandLine::complaint(const CLI::ParseError& error,
                                   const std::vector<std::string>& arguments) const {
  auto word = std::find_if(arguments.begin(), arguments.end(),
                           [](const std::string& argument) { return !argument.starts_with('-'); });
  if (root_.get_subcommands().empty() && word != arguments.end())
    return "there is no command '" + *word + "'";
  return error.what();
}

CLI::Validator CommandLine::is_given() {
  return CLI::Validator(
      [](std::string& value) { return value.empty() ? std::string("must not be empty") : std::string(); },
      "");
}

CLI::Validator CommandLine::is_engine() {
  return CLI::Validator([](std::string& value) { return EngineRole::check_target(value).message(); }, "");
}

void CommandLine::add_platform_store(CLI::App* sub, const std::function<void(const std::string&)>& keep,
                                     bool required) {
  sub->add_option_function<std::string>(
         "--platform-store", keep,
         "Platform store on PostgreSQL, postgres://USER@HOST:PORT/DATABASE[?schema=NAME], instead of "
         "files;\n"
         "the password comes from PGPASSWORD or a passfile")
      ->envname("HOLDFAST_PLATFORM_STORE")
      ->type_name("ADDRESS")
      ->required(required);
}

namespace {

// Nobody looks for it: it is there when the operator says so.
void add_monty(CLI::App& sub, std::string& program) {
  sub.add_option("--monty", program,
                 "Program of Monty (PyPI pydantic-monty-runtime), for blocks of flows with `language: monty`")
      ->envname("HOLDFAST_MONTY")
      ->check(CLI::ExistingFile);
}

}  // namespace

CLI::Validator CommandLine::is_memory() {
  return CLI::Validator(
      [](std::string& value) {
        const auto bytes = parse_memory(value);
        return bytes ? std::string() : bytes.error().message();
      },
      "");
}

void CommandLine::add_api(CLI::App* sub, ApiOptions& api) {
  sub->add_option("--api", api.api,
                  "Address of the HTTP API (default: HOLDFAST_API, ./.holdfast, port 8233)");
  // As HOLDFAST_API_KEY it is the environment's, which whoever makes the session reads.
  sub->add_option_function<std::string>(
         "--ca", [](const std::string& file) { ::setenv("HOLDFAST_CA", file.c_str(), 1); },
         "Who may have signed its certificate (PEM), instead of the machine's authorities (default: "
         "HOLDFAST_CA)")
      ->check(CLI::ExistingFile);
  sub->add_flag("--json", api.json, "Print JSON");
}

// Over TCP and in the file system: one of each at most.
void CommandLine::add_address(CLI::App* sub, const std::string& flag, const std::string& says,
                              std::optional<std::string>& address, std::optional<std::string>& socket) {
  sub->add_option_function<std::vector<std::string>>(
         flag,
         [flag, &address, &socket](const std::vector<std::string>& given) {
           for (const std::string& one : given) {
             auto& which = os::unix_path(one) ? socket : address;
             if (which) throw CLI::ValidationError(flag, "one HOST:PORT and one unix:PATH at most");
             which = one;
           }
         },
         says)
      ->take_all();
}

void CommandLine::add_server_options(CLI::App* sub, ServeOptions& options) {
  sub->add_option("--data", options.data, "Data directory")->capture_default_str()->check(is_given());
  add_address(
      sub, "--grpc",
      "gRPC address, HOST:PORT (default: 127.0.0.1:7233 or the next free port), or unix:PATH, or one\n"
      "of each",
      options.grpc, options.grpc_socket);
  add_address(
      sub, "--http",
      "HTTP address, HOST:PORT (default: 127.0.0.1:8233 or the next free port), or unix:PATH, or one\n"
      "of each; over unix:PATH the server's own user is admin without a key",
      options.http, options.http_socket);
  sub->add_option(
      "--socket-user", options.socket_users,
      "USER=PRINCIPAL: another user of this machine, by name or number, and who he is over unix:PATH\n"
      "(may be repeated); then every user can connect, and who is not named needs a key");
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
  sub->add_option("--otlp-endpoint", options.otlp_endpoint,
                  "Collector of OpenTelemetry spans, as in http://127.0.0.1:4318 (default:\n"
                  "OTEL_EXPORTER_OTLP_ENDPOINT; its other variables hold, too)")
      ->check(is_given());
  sub->add_option_function<std::string>(
         "--memory", [&options](const std::string& text) { options.memory = *parse_memory(text); },
         "Memory for requests, replies and caches, as in 512MiB (default: a quarter of the machine's, at "
         "most 4GiB)")
      ->check(is_memory());
  sub->add_option(
         "--python-packages", options.python_packages,
         "Folder that Python blocks of flows import from (pip install --target FOLDER ...), read-only")
      ->envname("HOLDFAST_PYTHON_PACKAGES")
      ->check(CLI::ExistingDirectory);
  add_monty(*sub, options.monty);
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
  add_protection(sub, options);
  sub->add_flag("--json", options.json, "Print the readiness line as JSON");
}

void CommandLine::add_servers() {
  CLI::App* dev =
      add("dev", "Server with two agents on a scripted model, hello and refund; data in ./.holdfast", dev_,
          serve);
  add_server_options(dev, dev_);
  dev_.dev = true;
  CLI::App* server = add("server", "Server: engine, worker, HTTP API and console", server_, serve);
  add_server_options(server, server_);
}

void CommandLine::add_tools() {
  CLI::App* doctor_command = add("doctor", "Check ports, clock, disk and data directory", doctor_, doctor);
  doctor_command->add_option("--data", doctor_.data, "Data directory")
      ->capture_default_str()
      ->check(is_given());
  add_platform_store(doctor_command, [this](const std::string& text) { doctor_.platform_store = text; });
  add_monty(*doctor_command, doctor_.monty);
  doctor_command->add_flag("--json", doctor_.json, "Print JSON");

  CLI::App* migrate_command = add(
      "migrate", "Show, or with --apply take, what a platform store on PostgreSQL needs", migrate_, migrate);
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

  CLI::App* model = add("scripted-model", "Serve a model that answers from a script", model_, scripted_model);
  model->add_option("script", model_.script, "Script (YAML)")->required();
  model->add_option("--port", model_.port, "Port on 127.0.0.1; 0: any free one")->capture_default_str();
  model->add_flag("--json", model_.json, "Print JSON");

  CLI::App* schema = root_.add_subcommand("schema", "Print the JSON Schema of agent.yaml, for editors");
  schema->callback([this] { chosen_ = print_schema; });

  CLI::App* version = root_.add_subcommand("version", "Print the version");
  version->add_flag("--json", version_json_, "Print JSON");
  version->callback([this] { chosen_ = [this] { return print_version(version_json_); }; });
}

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
