#pragma once

// The commands of `holdfast`: what the command line says as plain values (parsed by cli.cc, the only file
// that knows CLI11) and one function per command, which returns the exit code. Data goes to stdout,
// everything else to stderr.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/storage.h"

namespace holdfast::app {

struct ServeOptions {
  std::string data = ".holdfast";
  // None: 127.0.0.1:7233 or the next free port, if there is no grpc_socket.
  std::optional<std::string> grpc;
  std::optional<std::string> grpc_socket;  // unix:PATH
  // None: 127.0.0.1:8233 or the next free port, if there is no http_socket.
  std::optional<std::string> http;
  std::optional<std::string> http_socket;     // unix:PATH
  std::vector<std::string> socket_users;      // USER=PRINCIPAL: who they are over those sockets
  std::optional<std::string> public_url;      // where others reach the API; none: http:// and its address
  std::optional<std::string> engine;          // temporal://HOST:PORT; none: the embedded one
  std::optional<std::string> platform_store;  // postgres://...; none: files in the data directory
  std::string namespace_name = "default";
  std::vector<std::string> agents;  // definition files to register
  std::vector<std::string> grants;  // what other definitions may use, one each
  std::vector<std::string> grant_files;
  std::optional<std::string> limits;           // a file: what model keys may be used for
  std::vector<std::string> price_files;        // the later one goes first
  bool renew_tools = false;                    // ask the MCP servers of `agents` again what tools they have
  std::optional<std::size_t> memory;           // bytes to hold for others; none: a quarter of the machine
  std::string python_packages;                 // a folder that Python blocks import from; empty: none
  std::string monty;                           // the program of Monty, for blocks in it; empty: none
  std::vector<std::string> search_attributes;  // NAME=Type, to register in the namespace
  std::chrono::milliseconds shortest_retention{std::chrono::hours(1)};  // that a namespace may have
  std::string auth = "auto";                                            // required, off
  std::optional<std::string> tls_certificate;
  std::optional<std::string> tls_key;
  std::optional<std::string> grpc_client_ca;
  std::vector<std::string> trusted_proxies;
  std::optional<std::string> oidc;         // a file of identity providers
  std::optional<std::string> secrets_key;  // a file; none: secrets.key in the data directory
  std::vector<std::string> older_secrets_keys;
  std::optional<std::string> otlp_endpoint;  // of a collector of spans; none: OTEL_EXPORTER_OTLP_ENDPOINT
  bool dev = false;                          // with the scripted model, the demo agent and a demo run
  bool json = false;
  Storage storage;  // from main(), never from the command line
};
int serve(const ServeOptions& options);

// Where the API is: flag, then HOLDFAST_API, then ./.holdfast/addresses.json, then the default port.
struct ApiOptions {
  std::optional<std::string> api;
  bool json = false;
};

struct RunOptions {
  ApiOptions api;
  std::string agent;  // a registered name, or a file with a definition
  std::optional<std::string> input;
  std::optional<std::string> input_file;  // "-": standard input
  std::optional<std::string> id;
  std::optional<std::string> conversation;  // goes on in that one
  std::vector<std::string> context;         // NAME=VALUE each
  std::optional<std::string> notify;        // a file: the list of whom to tell
  bool detach = false;
  std::chrono::milliseconds timeout{0};  // 0: none
};
int run_agent(const RunOptions& options);

struct RunsOptions {
  ApiOptions api;
  std::optional<std::string> id;  // show one
  std::optional<std::string> status;
  std::optional<std::string> agent;
  std::uint32_t limit = 50;
};
int list_runs(const RunsOptions& options);

struct ConversationOptions {
  ApiOptions api;
  std::string id;
  std::uint32_t branch = 0;
};
int print_conversation(const ConversationOptions& options);

struct ScheduleOptions {
  ApiOptions api;
  std::string name;
  std::string agent;
  std::string version;  // empty: the current one, at each start
  std::string input;    // text, or JSON
  std::string conversation;
  std::string cron;
  std::string time_zone = "UTC";
  std::string overlap = "skip";
  double catch_up_seconds = 3600;
  std::string note;  // why it is paused
};
int create_schedule(const ScheduleOptions& options);
int list_schedules(const ScheduleOptions& options);
int show_schedule(const ScheduleOptions& options);
int pause_schedule(const ScheduleOptions& options);
int resume_schedule(const ScheduleOptions& options);
int trigger_schedule(const ScheduleOptions& options);
int delete_schedule(const ScheduleOptions& options);

struct StopOptions {
  ApiOptions api;
  std::string id;
  bool terminate = false;
  std::string reason;
};
int stop_run(const StopOptions& options);

struct DeleteOptions {
  ApiOptions api;
  std::string id;
};
int delete_run(const DeleteOptions& options);

struct EventsOptions {
  ApiOptions api;
  std::string run;
  std::string from;  // cursor
  bool follow = false;
};
int print_events(const EventsOptions& options);

struct ApprovalsOptions {
  ApiOptions api;
  std::string status = "pending";
  std::optional<std::string> run;
  bool mine = false;
  bool teams = false;
  std::optional<std::string> team;
};
int list_approvals(const ApprovalsOptions& options);

struct ApproveOptions {
  ApiOptions api;
  std::string id;  // of an approval, or of a run that waits for exactly one
  bool reject = false;
  std::optional<std::string> arguments;  // JSON: approve with these instead
  std::string comment;
  std::string by;
  bool for_run = false;  // later calls that the same rule asks about, too
};
int decide_approval(const ApproveOptions& options);

struct UsageOptions {
  ApiOptions api;
  std::string by = "agent";
  std::optional<std::string> from;
  std::optional<std::string> to;
};
int print_usage(const UsageOptions& options);

struct BudgetOptions {
  ApiOptions api;
  std::string run;
  std::optional<std::string> money;  // "5" or "5.00 USD"
  std::optional<std::uint64_t> tokens;
  std::optional<std::uint64_t> calls;
  std::optional<std::uint64_t> tool_calls;
  std::optional<std::uint64_t> depth;
  std::optional<std::string> wall_time;  // "2h", since the run began
};
int raise_budget(const BudgetOptions& options);

struct AgentsOptions {
  ApiOptions api;
  std::optional<std::string> name;
  std::vector<std::string> put;  // files
};
int list_agents(const AgentsOptions& options);

struct AgentInitOptions {
  std::string file = "agent.yaml";
  std::string name = "my-agent";
};
int init_agent(const AgentInitOptions& options);

struct AgentFilesOptions {
  ApiOptions api;
  std::vector<std::string> files;
  std::optional<std::string> label;  // apply: made to name the version
  std::string by;
};
int validate_agents(const AgentFilesOptions& options);
int apply_agents(const AgentFilesOptions& options);

struct FlowFilesOptions {
  std::vector<std::string> files;
  bool json = false;
};
int validate_flows(const FlowFilesOptions& options);

struct FlowPlanOptions {
  std::string file;
  std::optional<std::string> planner;  // none: all are shown
  std::optional<double> overhead_ms;   // none: as measured of the embedded engine
  bool json = false;
  bool svg = false;
};
int plan_flow(const FlowPlanOptions& options);

struct SandboxOptions {
  std::optional<std::string> file;        // a script; "-": standard input
  std::optional<std::string> expression;  // or one of these two
  std::optional<std::string> text;        // a template
  bool python = false;                    // the script is Python
  std::string python_packages;            // a folder that it imports from; empty: none
  std::string monty;                      // the script is Monty's, of this program; empty: it is not
  std::string input = "{}";
  std::optional<std::string> input_file;
  bool decimals_as_text = false;
  std::optional<std::uint32_t> time_ms;
  std::optional<std::uint32_t> memory_mib;
  std::optional<int> level;  // none: the first that this machine has
  bool json = false;
};
int evaluate_in_sandbox(const SandboxOptions& options);

struct AgentNameOptions {
  ApiOptions api;
  std::string agent;  // NAME, or where a version is meant NAME@LABEL or NAME@VERSION
  std::uint32_t limit = 50;
};
int show_agent(const AgentNameOptions& options);
int list_versions(const AgentNameOptions& options);

struct PromoteOptions {
  ApiOptions api;
  std::string agent;
  std::optional<std::string> from;  // a label; none: the version stands in `agent`
  std::string to;
  std::string expect;  // what `to` must name before
  std::string by;
  std::string comment;
};
int promote_agent(const PromoteOptions& options);

struct RollbackOptions {
  ApiOptions api;
  std::string agent;
  std::string label;
  std::string expect;
  std::string by;
  std::string comment;
};
int roll_back_agent(const RollbackOptions& options);

struct LabelsOptions {
  ApiOptions api;
  std::string agent;
  std::optional<std::string> label;  // its moves
};
int list_labels(const LabelsOptions& options);

struct DiffOptions {
  ApiOptions api;
  std::string before;  // a file, NAME, NAME@LABEL or NAME@VERSION
  std::optional<std::string> after;
};
int diff_agents(const DiffOptions& options);

struct OutputOptions {
  ApiOptions api;
  std::string run;
  std::optional<std::uint32_t> step;  // none: list the steps
  std::string search;                 // of that list: those that hold it
};
int print_output(const OutputOptions& options);

struct MemoryOptions {
  ApiOptions api;
  std::string subject;  // of `list`, too, where empty lists the subjects
  std::string name;     // of `show`: one entry with its versions
  std::string search;
  std::string by;
  std::string reason;
};
int list_memory(const MemoryOptions& options);
int show_memory(const MemoryOptions& options);
int erase_memory(const MemoryOptions& options);

struct DoctorOptions {
  std::string data = ".holdfast";
  std::string monty;  // the program of Monty; empty: none
  std::optional<std::string> platform_store;
  bool json = false;
};
int doctor(const DoctorOptions& options);

struct MigrateOptions {
  std::string platform_store;
  std::optional<std::string> from;  // a data directory whose platform store moves there
  bool apply = false;
  bool json = false;
};
int migrate(const MigrateOptions& options);

struct BackupOptions {
  std::string data = ".holdfast";
  std::string folder;
  bool json = false;
};
int backup(const BackupOptions& options);

struct RestoreOptions {
  std::string folder;  // of the backup
  std::string data;
  bool json = false;
};
int restore(const RestoreOptions& options);

struct DemoCommandOptions {
  std::string kill_at = "10";
  std::optional<std::string> engine;
  bool keep = false;
  bool json = false;
};
int demo(const DemoCommandOptions& options);

struct ScriptedModelOptions {
  std::string script;
  std::uint16_t port = 0;
  bool json = false;
};
int scripted_model(const ScriptedModelOptions& options);

struct McpOptions {
  std::vector<std::string> target;       // a URL, or a program and its arguments
  std::vector<std::string> headers;      // "Name: value"
  std::vector<std::string> environment;  // "NAME=value"
  std::optional<std::string> call;       // a tool; none: list them
  std::string arguments = "{}";
  bool json = false;
};
int mcp_command(const McpOptions& options);

struct ImportOpenapiOptions {
  std::string source;  // a file, a URL, or "-"
  std::vector<std::string> select;
  std::optional<std::string> server;
  std::optional<std::string> name;
  bool tools_only = false;
};
int import_openapi(const ImportOpenapiOptions& options);

// ---- who may use a server (identity_commands.cc)

struct UserOptions {
  ApiOptions api;
  std::string name;
  std::vector<std::string> roles;            // ROLE or ROLE@NAMESPACE
  std::optional<std::string> password_file;  // "-": standard input
  bool enable = false;
};
int add_user(const UserOptions& options);
int list_users(const UserOptions& options);
int disable_user(const UserOptions& options);
int set_user_roles(const UserOptions& options);
int set_user_password(const UserOptions& options);

struct KeyOptions {
  ApiOptions api;
  std::string id;         // of revoke, rotate
  std::string principal;  // of create
  std::vector<std::string> roles;
  std::string label;
  std::optional<std::string> lasts;  // "90d"
  std::optional<std::string> grace;
};
int create_key(const KeyOptions& options);
int list_keys(const KeyOptions& options);
int revoke_key(const KeyOptions& options);
int rotate_key(const KeyOptions& options);

struct SessionsOptions {
  ApiOptions api;
  std::string id;
};
int list_sessions(const SessionsOptions& options);
int revoke_session(const SessionsOptions& options);
int who_am_i(const SessionsOptions& options);

int print_schema();
int print_version(bool json);

}  // namespace holdfast::app
