// Named secrets, groups of identity providers, tool grants and the record, from the command line.

#include "app/command_line.h"

namespace holdfast::app {

void CommandLine::add_secrets() {
  CLI::App* secret = root_.add_subcommand("secret", "Values that definitions name and nobody reads");
  secret->require_subcommand(1);
  CLI::App* set =
      add("set", "Set a secret, or set it again; its value comes from standard input or a hidden prompt",
          secret_, set_secret, secret);
  set->add_option("name", secret_.name, "Its name: letters, digits, _ . -")->required()->check(is_given());
  set->add_option("--file", secret_.file, "File with the value; -: standard input")->check(is_given());
  set->add_flag("--exact", secret_.exact, "A line break at the end is part of the value");
  add_api(set, secret_.api);
  CLI::App* list = add("list", "List secrets: who set them, when, and when they were last used", secret_,
                       list_secrets, secret);
  add_api(list, secret_.api);
  CLI::App* erase = add("delete", "Delete a secret", secret_, delete_secret, secret);
  erase->add_option("name", secret_.name, "Its name")->required()->check(is_given());
  add_api(erase, secret_.api);
  CLI::App* key = add("new-key", "Make a file with a new key for a server's secrets (--secrets-key)",
                      secret_key_, new_secret_key, secret);
  key->add_option("file", secret_key_.file, "Where; nothing may be there")->required()->check(is_given());
}

void CommandLine::add_audit() {
  CLI::App* audit = root_.add_subcommand("audit", "The record of who did what");
  audit->require_subcommand(1);
  CLI::App* sub = add("export", "Print it from its beginning, a line of JSON a row; goes on with --cursor",
                      audit_, export_audit, audit);
  sub->add_option("--from", audit_.from, "At this time or later, as in 2026-11-21T09:00:00Z");
  sub->add_option("--until", audit_.until, "Before this time");
  sub->add_option("--principal", audit_.principal, "Who did it");
  sub->add_option("--kind", audit_.kind, "What it was, or how that begins, as in identity. or secret.set");
  sub->add_option("--subject", audit_.subject, "What it was done to");
  sub->add_flag("--messages", audit_.messages,
                "Behind the end of each run, its messages: prompts, answers, results");
  sub->add_option("--cursor", audit_.cursor, "Where an export before ended");
  add_api(sub, audit_.api);
}

void CommandLine::add_groups() {
  CLI::App* group = root_.add_subcommand("group", "What groups of identity providers mean");
  group->require_subcommand(1);
  const auto named = [this](CLI::App* sub) {
    sub->add_option("provider", group_.provider, "The provider, as the server's file names it")
        ->required()
        ->check(is_given());
    sub->add_option("group", group_.group, "The group, as the provider names it")
        ->required()
        ->check(is_given());
    add_api(sub, group_.api);
  };
  CLI::App* list = add("list", "List groups with their roles and teams", group_, list_groups, group);
  add_api(list, group_.api);
  CLI::App* set = add("set", "Give a group these roles and teams, and no others", group_, set_group, group);
  named(set);
  set->add_option("--role", group_.roles,
                  "reader, operator, approver, deployer or admin, @NAMESPACE behind it or @* for every\n"
                  "namespace (default: the server's; of admin: every one; may be repeated)");
  set->add_option("--team", group_.teams, "A team (may be repeated)");
  named(add("delete", "Let a group mean nothing any more", group_, delete_group, group));
}

void CommandLine::add_grants() {
  CLI::App* grant = root_.add_subcommand("grant", "Which of their tools agents may use");
  grant->require_subcommand(1);
  CLI::App* list = add("list", "List tool grants, and what the operator granted", grant_, list_grants, grant);
  add_api(list, grant_.api);
  CLI::App* allow =
      add("add", "Allow tools, and no others, or deny them; from the next call on, runs under way included",
          grant_, add_grant, grant);
  allow->add_option("--tool", grant_.tools, "A tool, or how tools begin, as in 'crm__*' (may be repeated)")
      ->required();
  allow->add_option("--agent", grant_.agent, "To this agent (default: every one)");
  allow->add_option("--team", grant_.team, "To agents of this team (default: every one)");
  allow->add_option("--environment", grant_.environment,
                    "In runs started by this label, as in production (default: every one)");
  allow->add_flag("--deny", grant_.deny, "Deny these tools, whatever else is granted");
  allow->add_option("--reason", grant_.reason, "Why, for the record");
  add_api(allow, grant_.api);
  CLI::App* revoke =
      add("revoke", "Take a tool grant back, from the next call on", grant_, revoke_grant, grant);
  revoke->add_option("id", grant_.id, "Its id")->required()->check(is_given());
  revoke->add_flag("--open", grant_.open,
                   "Also when nothing else limits its agents: every tool is allowed then");
  add_api(revoke, grant_.api);
}

}  // namespace holdfast::app
