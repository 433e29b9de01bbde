// What the record says of runs that others than the platform start: sub-agents, and those of clients of the
// engine. They have no row of a run and no bill, so their beginning goes with their first step and their end
// with what they answer; of one that answers nobody, alone.

#include "activities/activities.h"
#include "base/sha256.h"
#include "platform/audit_rules.h"
#include "platform/fork_store.h"

namespace holdfast::agent {

namespace rules = platform::rules;

void Activities::record_start(activity::Context& ctx, const RunInput& run, const AgentDefinition& agent,
                              const std::string& version, const std::string& input,
                              const RunSettings& settings, platform::StepWrite& write) {
  if (!run.caller && run.input.is_null()) return;  // the start itself is in the record
  rules::RunBegan began;
  began.run = ctx.info().workflow_id;
  began.agent = agent.name;
  began.version = version;
  began.by = run.caller ? rules::actor_of_agent(run.caller->agent) : std::string(rules::kEngineActor);
  began.input_sha256 = sha256_hex(input);
  began.conversation = run.conversation;
  began.environment = settings.environment;
  if (run.caller) began.parent = run.caller->run;
  write.said.push_back(rules::audit_of_start(began));
}

platform::AuditRow Activities::record_of_end(activity::Context& ctx, const FinishInput& in,
                                      const ConversationRef& head) {
  platform::Bill ended;
  ended.run = ctx.info().workflow_id;
  ended.agent = in.agent;
  if (const auto account = require(deps_.store->account(ended.run), "the account of the run"))
    ended.version = account->version;
  const bool succeeded = in.status == RunEnd::kCompleted || in.status == RunEnd::kMaxIterations;
  ended.status = succeeded ? to_string(RunEnd::kCompleted) : to_string(in.status);
  ended.error_type = in.error_type;
  std::optional<rules::RunSaid> said;
  const auto span =
      require(platform::fork_store_of(*deps_.store).run_span(ended.run), "what the run has said");
  if (span) {
    said.emplace();
    said->last = head;
    said->first = span->first.sequence;
  }
  return rules::audit_of_end(ended, said);
}

void Activities::record_end(activity::Context& ctx, const FinishInput& in, const ConversationRef& head) {
  const std::string& run = ctx.info().workflow_id;
  if (!in.caller) {
    const auto known = deps_.store->run(run);
    if (known || known.error().code() != Code::kNotFound) return;  // its bill is written with it
  }
  platform::StepWrite write;
  write.key = "ended:" + sha256_hex(run + "/" + ctx.info().run_id);
  write.run = run;
  write.result = "{}";
  write.said.push_back(record_of_end(ctx, in, head));
  require(deps_.store->commit_step(write), "recording the end of the run");
}

}  // namespace holdfast::agent
