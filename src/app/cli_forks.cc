// Forks from the command line: a run that goes on from any place of another one, and what became different.

#include "app/command_line.h"

namespace holdfast::app {

void CommandLine::add_place(CLI::App* sub, ForkOptions& options) {
  sub->add_option("run", options.run, "Run")->required();
  CLI::Option* message = sub->add_option("--at,--message", options.message,
                                         "Behind that message; 0: before all (default: where it stands)");
  CLI::Option* turn =
      sub->add_option("--turn", options.turn, "Behind that turn of the run; 0: behind its input");
  CLI::Option* step = sub->add_option("--step", options.step, "Behind the turn of that step");
  CLI::Option* from = sub->add_option("--from", options.from, "start: behind its input; failed: what failed")
                          ->check(CLI::IsMember({"start", "failed"}));
  message->excludes(turn)->excludes(step)->excludes(from);
  turn->excludes(step)->excludes(from);
  step->excludes(from);
  sub->add_option("--version", options.version,
                  "With this version of the agent, or what a label names; current: the newest");
  sub->add_option("--id", options.id, "Id of the new run; the same id and request again is the same run");
  sub->add_option("--reason", options.reason, "Why");
  sub->add_option("--by", options.by, "Who says so (default: the user's name)");
  sub->add_flag("--dry-run", options.dry_run, "Only say which calls would be made, and which are reused");
  add_api(sub, options.api);
}

void CommandLine::add_forks() {
  CLI::App* fork = add("fork", "Start a run that goes on from any message of another, on a branch of its own",
                       fork_, fork_run);
  add_place(fork, fork_);
  CLI::Option* prompt =
      fork->add_option("--prompt", fork_.prompt, "In the place of what the user said there");
  CLI::Option* say = fork->add_option("--say", fork_.say, "Say this behind the place");
  CLI::Option* call =
      fork->add_option("--call", fork_.call, "The model's id of a call that is to get another result");
  fork->add_option("--result", fork_.result, "Result of --call; @FILE reads it");
  fork->add_flag("--error", fork_.is_error, "That result is an error");
  prompt->excludes(say)->excludes(call);
  say->excludes(call);

  replay_.replay = true;
  CLI::App* replay = add("replay", "Start a run that does again what another one did, from a place of it",
                         replay_, fork_run);
  add_place(replay, replay_);

  CLI::App* forks = add("forks", "List the runs that go on from a run", forks_, list_forks);
  forks->add_option("run", forks_.run, "Run")->required();
  add_api(forks, forks_.api);

  CLI::App* diff =
      add("diff", "Compare two runs: what they have in common, and what comes behind", run_diff_, diff_runs);
  diff->add_option("a", run_diff_.a, "Run")->required();
  diff->add_option("b", run_diff_.b, "Another run")->required();
  add_api(diff, run_diff_.api);
}

}  // namespace holdfast::app
