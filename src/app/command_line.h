#pragma once

// The command line: each command fills its options while parsing and runs afterwards. Private to cli.cc,
// which has the frame and the servers, cli_runs.cc and cli_agents.cc.

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/audit_commands.h"
#include "app/commands.h"
#include "app/fork_commands.h"
#include "app/grant_commands.h"
#include "app/group_commands.h"
#include "app/people_commands.h"
#include "app/policy_commands.h"
#include "app/secret_commands.h"
#include "app/steering_commands.h"
#include "app/trace_commands.h"

namespace holdfast::app {

class CommandLine {
 public:
  explicit CommandLine(const Storage& storage);
  int run(int argc, char** argv);

 private:
  // What a command throws ends here. It is mostly an answer that says something else than we read in it: of
  // another version, or of no Holdfast at all.
  int run_chosen() const;
  // A word that is no command is only an argument too many to the parser.
  std::string complaint(const CLI::ParseError& error, const std::vector<std::string>& arguments) const;

  template <typename Options>
  CLI::App* add(const char* name, const char* help, Options& options, int (*command)(const Options&),
                CLI::App* parent = nullptr) {
    CLI::App* sub = (parent != nullptr ? parent : &root_)->add_subcommand(name, help);
    sub->callback([this, &options, command] { chosen_ = [&options, command] { return command(options); }; });
    return sub;
  }
  // An empty path would be the directory that the command happens to run in.
  static CLI::Validator is_given();
  static CLI::Validator is_engine();
  // A wrong address is not repeated: it may hold a password.
  static void add_platform_store(CLI::App* sub, const std::function<void(const std::string&)>& keep,
                                 bool required = false);
  static CLI::Validator is_memory();
  static void add_api(CLI::App* sub, ApiOptions& api);
  static void add_address(CLI::App* sub, const std::string& flag, const std::string& says,
                          std::optional<std::string>& address, std::optional<std::string>& socket);
  void add_server_options(CLI::App* sub, ServeOptions& options);
  void add_servers();
  void add_runs();
  void add_run_views();
  void add_money();
  void add_steer(CLI::App* sub, SteerOptions& options, const char* verb);
  void add_steering();
  void add_place(CLI::App* sub, ForkOptions& options);
  void add_forks();
  // The commands below `schedule`.
  void add_schedules();
  void add_approvals();
  void add_links();
  void add_policy();
  void add_agents();
  void add_flows();
  void add_sandbox();
  void add_definitions(CLI::App* agent);
  void add_labels(CLI::App* agent);

  template <typename Options>
  static void add_signature(CLI::App* sub, Options& options) {
    sub->add_option("--by", options.by, "Who does it (default: the user's name)");
    sub->add_option("--comment", options.comment, "Why; kept with the move");
    add_api(sub, options.api);
  }
  void add_memory();
  // The group of commands; made by the first that belongs to it.
  CLI::App* agent_commands();
  // Tools that others describe.
  void add_foreign_tools();
  void add_tools();
  // What protects a server; people, keys, sessions.
  static void add_protection(CLI::App* sub, ServeOptions& options);
  void add_identity();
  void add_secrets();
  void add_groups();
  void add_grants();
  void add_audit();
  CLI::App root_{"Holdfast: durable AI agents and workflows", "holdfast"};
  std::function<int()> chosen_;
  ServeOptions dev_, server_;
  RunOptions run_;
  RunsOptions runs_;
  TraceOptions trace_;
  ConversationOptions conversation_;
  ScheduleOptions schedule_;
  StopOptions cancel_, terminate_;
  DeleteOptions delete_;
  OutputOptions output_;
  OutputOptions logs_;
  MemoryOptions memory_;
  EventsOptions events_;
  SendOptions send_;
  CompleteOptions complete_;
  SteerOptions pause_, resume_, fail_;
  RetryOptions retry_;
  UndoOptions undo_;
  BulkOptions bulk_;
  ForkOptions fork_, replay_;
  ForksOptions forks_;
  RunDiffOptions run_diff_;
  BudgetOptions budget_;
  UsageOptions usage_;
  ApprovalsOptions approvals_;
  ApproveOptions approve_;
  AnswerOptions answer_;
  LinkOptions link_;
  PolicyTestOptions policy_test_;
  AgentsOptions agents_, agent_list_;
  AgentInitOptions agent_init_;
  AgentFilesOptions agent_validate_, agent_apply_;
  FlowFilesOptions flow_validate_;
  FlowPlanOptions flow_plan_;
  SandboxOptions sandbox_;
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
  UserOptions user_;
  KeyOptions key_;
  SessionsOptions session_;
  SecretOptions secret_;
  GroupOptions group_;
  GrantOptions grant_;
  AuditOptions audit_;
  SecretKeyOptions secret_key_;
  bool version_json_ = false;
};

}  // namespace holdfast::app
