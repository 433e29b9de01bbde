// Policies from the command line.

#include "app/command_line.h"

namespace holdfast::app {

void CommandLine::add_policy() {
  CLI::App* policy = root_.add_subcommand("policy", "What an agent's rules say of calls");
  policy->require_subcommand(1);
  CLI::App* test = add("test", "Run the rules of a definition on calls that were made, without making any",
                       policy_test_, test_policy, policy);
  test->add_option("file", policy_test_.file, "Definition file")->required();
  auto* calls =
      test->add_option("--calls", policy_test_.calls,
                       "File of calls, a line of JSON each, - for standard input; no server is asked");
  test->add_option("--run", policy_test_.runs, "Run whose calls are looked at (may be repeated)")
      ->excludes(calls);
  test->add_option("--limit", policy_test_.limit, "Without --run: so many of the latest runs of the agent")
      ->capture_default_str()
      ->check(CLI::Range(1, 200))
      ->excludes(calls);
  add_api(test, policy_test_.api);
}

}  // namespace holdfast::app
