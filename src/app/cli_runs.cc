// Runs from the command line: starting, looking, steering, deciding, what they cost and remember.

#include "app/command_line.h"
#include "app/log_commands.h"
#include "app/seconds.h"

namespace holdfast::app {

void CommandLine::add_runs() {
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
  add_timeout(*run, run_.timeout);
  add_api(run, run_.api);

  add_run_views();

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

  CLI::App* output =
      add("output", "Print all that a step of a run gave, or list the steps", output_, print_output);
  output->add_option("run", output_.run, "Run")->required();
  output->add_option("step", output_.step, "Step; without it the steps are listed");
  output->add_option("--search", output_.search, "List only steps that hold this text");
  add_api(output, output_.api);

  CLI::App* logs = add("logs", "Print what the code of a run's steps wrote", logs_, print_logs);
  logs->add_option("run", logs_.run, "Run")->required();
  logs->add_option("step", logs_.step, "Of one step");
  logs->add_option("--search", logs_.search, "Only lines that hold this text");
  add_api(logs, logs_.api);

  CLI::App* events = add("events", "Print the events of a run", events_, print_events);
  events->add_option("run", events_.run, "Run")->required();
  events->add_option("--from", events_.from, "Only events after this cursor");
  events->add_flag("--follow,-f", events_.follow, "Wait for more until the run ends");
  add_api(events, events_.api);
}

void CommandLine::add_run_views() {
  CLI::App* runs = add("runs", "List runs, or show one", runs_, list_runs);
  runs->add_option("id", runs_.id, "Run to show");
  runs->add_option("--status", runs_.status, "Only runs in this status");
  runs->add_option("--agent", runs_.agent, "Only runs of this agent");
  runs->add_option("--limit", runs_.limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  add_api(runs, runs_.api);
  CLI::App* trace = runs->add_subcommand(
      "trace", "Show what a run did as a tree: when, how long, at what cost, and what went wrong");
  trace->add_option("id", trace_.run, "Run")->required();
  add_api(trace, trace_.api);
  runs->callback([this, trace] {
    if (trace->parsed()) {
      chosen_ = [this] { return print_trace(trace_); };
    } else {
      chosen_ = [this] { return list_runs(runs_); };
    }
  });
}

void CommandLine::add_money() {
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
}

void CommandLine::add_steer(CLI::App* sub, SteerOptions& options, const char* verb) {
  options.verb = verb;
  sub->add_option("run", options.run, "Run")->required();
  sub->add_option("--by", options.by, "Who says so (default: the user's name)");
  add_api(sub, options.api);
}

void CommandLine::add_steering() {
  CLI::App* send = add("send", "Send a message into a run that is under way", send_, send_message);
  send->add_option("run", send_.run, "Run")->required();
  send->add_option("text", send_.text, "What to say");
  send->add_option("--input-file", send_.input_file, "Read it from a file; - is standard input");
  send->add_option("--id", send_.id, "Id of your choice; the same id again is the same message");
  send->add_option("--by", send_.by, "Who says so (default: the user's name)");
  add_api(send, send_.api);

  CLI::App* complete = add("complete", "End a detached call of a run, with the token that it was given",
                           complete_, complete_call);
  complete->add_option("token", complete_.token, "Token, or the URL that ends with it")->required();
  complete->add_option("result", complete_.result, "What the call answers: text, or JSON");
  complete->add_option("--input-file", complete_.input_file, "Read it from a file; - is standard input");
  complete->add_option("--error", complete_.error, "It failed, and why");
  add_api(complete, complete_.api);

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

  CLI::App* undo = add("undo", "Take back what a closed run did, by a run of its own", undo_, undo_run);
  undo->add_option("run", undo_.run, "Run")->required();
  undo->add_flag("--dry-run", undo_.dry_run, "Only say which calls");
  undo->add_option("--reason", undo_.reason, "Why");
  undo->add_option("--by", undo_.by, "Who says so (default: the user's name)");
  add_api(undo, undo_.api);

  CLI::App* bulk = add("bulk", "Pause, resume, fail, cancel or retry all runs in a status", bulk_, bulk_runs);
  bulk->add_option("action", bulk_.action, "pause, resume, fail, cancel or retry")
      ->required()
      ->check(CLI::IsMember({"pause", "resume", "fail", "cancel", "retry"}));
  bulk->add_option("--status", bulk_.status, "Of which runs; also paused and parked")->required();
  bulk->add_option("--agent", bulk_.agent, "Only of this agent");
  bulk->add_option("--limit", bulk_.limit, "At most so many (default: all)")->check(CLI::Range(1, 1'000'000));
  bulk->add_flag("--dry-run", bulk_.dry_run, "Only say which");
  bulk->add_option("--reason", bulk_.reason, "Why");
  bulk->add_option("--version", bulk_.version, "resume, retry: with this version of the agent");
  bulk->add_option("--by", bulk_.by, "Who says so (default: the user's name)");
  add_api(bulk, bulk_.api);
}

void CommandLine::add_schedules() {
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
  create->add_option("--overlap", schedule_.overlap, "While the run before is open: skip, buffer_one, allow")
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

void CommandLine::add_approvals() {
  CLI::App* list = add("approvals", "List what waits for a decision", approvals_, list_approvals);
  list->add_option("--status", approvals_.status,
                   "pending, approved, edited, answered, rejected, expired or all")
      ->capture_default_str()
      ->check(CLI::IsMember({"pending", "approved", "edited", "answered", "rejected", "expired", "all"}));
  list->add_option("--run", approvals_.run, "Only those of this run");
  auto* mine = list->add_flag("--mine", approvals_.mine, "Only what you may decide and have not");
  auto* teams =
      list->add_flag("--my-teams", approvals_.teams, "Only what agents of your teams ask")->excludes(mine);
  list->add_option("--team", approvals_.team, "Only what agents of this team ask")->excludes(teams);
  add_api(list, approvals_.api);

  CLI::App* approve = add("approve", "Decide an approval", approve_, decide_approval);
  approve->add_option("id", approve_.id, "Approval, or a run that waits for exactly one")->required();
  auto* reject = approve->add_flag("--reject", approve_.reject, "Reject instead");
  approve->add_option("--arguments", approve_.arguments, "Approve with these arguments instead (JSON)")
      ->excludes(reject);
  approve
      ->add_flag("--for-run", approve_.for_run, "Later calls of the tool that the same rule asks about, too")
      ->excludes(reject);
  approve->add_option("--comment", approve_.comment, "Said to the agent and kept with the decision");
  approve->add_option("--by", approve_.by, "Who decides (default: the user's name)");
  add_api(approve, approve_.api);

  CLI::App* answer = add("answer", "Answer a question of an agent", answer_, answer_question);
  answer->add_option("id", answer_.id, "Question, or a run that asks exactly one")->required();
  auto* text = answer->add_option("answer", answer_.answer,
                                  "JSON object of the question's form; of a form of one text, the text");
  answer->add_option("--decline", answer_.decline, "Do not answer, and say why")->excludes(text);
  answer->add_option("--comment", answer_.comment, "Said to the agent and kept with the answer");
  answer->add_option("--by", answer_.by, "Who answers (default: the user's name)");
  add_api(answer, answer_.api);
}

void CommandLine::add_links() {
  CLI::App* approval = root_.add_subcommand("approval", "Links by which people decide without an account");
  approval->require_subcommand(1);
  const auto add_to = [&](const char* name, const char* help, int (*command)(const LinkOptions&)) {
    CLI::App* sub = approval->add_subcommand(name, help);
    sub->callback([this, command] { chosen_ = [this, command] { return command(link_); }; });
    sub->add_option("id", link_.approval, "Approval, or question")->required()->check(is_given());
    add_api(sub, link_.api);
    return sub;
  };
  CLI::App* make =
      add_to("link", "Make a link by which one person decides, once; shown this once", make_link);
  make->add_option("--for", link_.recipient, "Who decides with it")->required()->check(is_given());
  make->add_option("--expires", link_.expires, "How long it is good, as in 12h (default: 7d)");
  add_to("links", "List the links of an approval", list_links);
  CLI::App* revoke = add_to("revoke", "Let a link open nothing any more", revoke_link);
  revoke->add_option("link", link_.link, "Its id")->required()->check(is_given());
}

void CommandLine::add_memory() {
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

}  // namespace holdfast::app
