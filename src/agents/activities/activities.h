#pragma once

// The activities of an agent run. Each follows one pattern: look up what an earlier attempt recorded under
// the key; else do the work; commit the result to the platform store in one transaction; publish what a
// person watches; answer with references. So an attempt after a crash finds its result and does nothing
// twice.
//
// Thread-safe; one object serves all activity threads. Failing is throwing ApplicationFailure.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "activities/agent_metrics.h"
#include "activities/code_pasts.h"
#include "activities/code_result.h"
#include "activities/conversation_turns.h"
#include "activities/large_output.h"
#include "activities/model_route.h"
#include "activities/register.h"
#include "activities/settings.h"
#include "activities/spend.h"
#include "activities/transcript.h"
#include "agent/policy.h"
#include "definition/definition.h"
#include "holdfast/activity.h"
#include "model/breaker.h"
#include "model/client.h"
#include "model/gate.h"
#include "model/message.h"
#include "platform/outbox.h"
#include "platform/trace_context.h"
#include "protocol/activities.h"
#include "protocol/agent_reference.h"
#include "protocol/approved_call.h"
#include "protocol/code.h"
#include "protocol/detached.h"
#include "protocol/fork.h"
#include "protocol/schedule.h"
#include "protocol/undo.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxCallsPerTurn = 64;
inline constexpr std::size_t kMaxCachedDefinitions = 256;
inline constexpr std::size_t kMaxCachedClients = 256;
inline constexpr std::size_t kMaxCachedTraces = 4096;
inline constexpr std::size_t kMaxCachedEnvironments = 4096;
inline constexpr std::size_t kMaxEventText =
    16 * 1024;  // of one text within an event; the store has the whole

// The model that an attempt asks.
struct ModelChoice {
  std::size_t position = 0;  // in the chain of its role
  const ModelSpec* spec = nullptr;
  std::vector<PassedOver> passed_over;        // those before it
  std::optional<model::Breakers::Call> call;  // none: no circuits are kept
  std::shared_ptr<model::Gate::Pass> pass;    // null: no limits are

  // Into the record of the step, when it is not the first model.
  void write_to(Json& result) const;
  Json passed_over_json() const;
};

std::size_t bytes_of(const model::Request& request);

class Activities {
 public:
  explicit Activities(Deps deps)
      : deps_(std::move(deps)),  // A replayer has workflows alone, and no machine below.
        spend_(deps_.store, deps_.prices, deps_.clock),
        turns_(deps_.store, deps_.engine),
        transcripts_(deps_.store),
        metrics_(deps_.metrics) {}

  Begun begin(activity::Context& ctx, const BeginInput& in);
  ModelTurn call_model(activity::Context& ctx, const ModelInput& in);
  Compacted compact(activity::Context& ctx, const CompactInput& in);
  ToolResult call_approved(activity::Context& ctx, const ApprovedCall& in);
  // `settles`: how the approval of the call was decided, if the call is to say so.
  ToolResult call_tool(activity::Context& ctx, const ToolInput& in, const SettleInput* settles = nullptr);
  // together_activity.cc
  ToolsResult call_tools(activity::Context& ctx, const ToolsInput& in);
  // single_activity.cc
  SingleEnd call_once(activity::Context& ctx, const BeginInput& in);
  // code_activity.cc
  CodeRound run_code(activity::Context& ctx, const CodeInput& in);
  // join_activity.cc
  void join(activity::Context& ctx, const JoinInput& in);
  NextDue schedule_next(activity::Context& ctx, const NextInput& in);
  Fired schedule_fire(activity::Context& ctx, const FireInput& in);
  void request_approval(activity::Context& ctx, const ApprovalInput& in);
  Settled settle_approval(activity::Context& ctx, const SettleInput& in);
  // What the index says of it, and what is told of that.
  struct Settlement {
    platform::Approval outcome;
    std::vector<platform::Told> tells;
  };
  Settlement settlement(activity::Context& ctx, const SettleInput& in);
  void step_started(activity::Context& ctx, const StepInput& in);
  void step_completed(activity::Context& ctx, const StepInput& in);
  Finished finish(activity::Context& ctx, const FinishInput& in);
  // steering_activities.cc
  void hold(activity::Context& ctx, const HoldInput& in);
  Plan plan(activity::Context& ctx, const PlanInput& in);
  // policy_activities.cc
  Judged judge(activity::Context& ctx, const JudgeInput& in);
  void note_approval(activity::Context& ctx, const ApprovalNote& in);
  // effect_activities.cc
  ToolResult reconcile(activity::Context& ctx, const EffectInput& in);
  // `is_told`: watchers hear of it also when it was undone.
  UndoTryResult undo(activity::Context& ctx, const UndoTryInput& in, bool is_told = true);
  // undo_items.cc
  UndoItemsResult undo_items(activity::Context& ctx, const UndoItemsInput& in);
  // undo_run.cc
  UndoBegun begin_undo(activity::Context& ctx, const UndoInput& in);
  void finish_undo(activity::Context& ctx, const UndoFinishInput& in);
  // detached_activities.cc
  ToolResult end_detached(activity::Context& ctx, const EndDetachedInput& in);
  NotifyTargets notify_targets(activity::Context& ctx, const NotifyInput& in);
  void notify(activity::Context& ctx, const NotifyInput& in);

 private:
  using DefinitionPtr = std::shared_ptr<const AgentDefinition>;

  DefinitionPtr definition(const std::string& agent, const std::string& version);
  // The text of the call's arguments as the model sent it, or as a person edited it.
  std::string arguments_text(const CallRef& call);
  std::string edited_text(const CallRef& call);
  static std::string text_in(const CallRef& call, const std::vector<platform::Message>& messages);
  static Json bound_arguments(const CallRef& call, const std::string& text);
  Json arguments_of(const CallRef& call);
  // The same, of a call whose message has been read.
  Json arguments_in(const CallRef& call, const std::vector<platform::Message>& messages);
  // record.cc
  void record_start(activity::Context& ctx, const RunInput& run, const AgentDefinition& agent,
                    const std::string& version, const std::string& input, const RunSettings& settings,
                    platform::StepWrite& write);
  platform::AuditRow record_of_end(activity::Context& ctx, const FinishInput& in,
                                   const ConversationRef& head);
  void record_end(activity::Context& ctx, const FinishInput& in, const ConversationRef& head);

  // granted.cc: what tool grants say of a call that is about to be made.
  // By Plan::settings.
  std::string environment_at(const std::string& settings);
  // Null: everything that the definition names.
  std::shared_ptr<const grant::ToolPermits> tool_permits(const std::string& agent, const std::string& team,
                                                         const std::string& environment) const;
  // Why it may not be made; none: it may.
  std::optional<std::string> not_granted(const std::string& agent, const CallRef& call) const;
  void tell_not_granted(activity::Context& ctx, const std::string& run, const CallRef& call,
                        const std::string& why);
  [[noreturn]] void refuse_call(activity::Context& ctx, const std::string& run, const CallRef& call,
                                const std::string& why);
  void require_granted(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in);
  void require_granted(activity::Context& ctx, const CallRef& call);
  void require_granted(activity::Context& ctx, const Caller& caller);
  std::vector<MadeCall> made_calls(const JudgeInput& in, const std::string& tool);
  // Of the model of that version, within its permits.
  std::shared_ptr<model::Client> client_for(const ModelSpec& spec, const std::string& version);
  // The record of a call that has one. One that came through the history is added to `carried`.
  std::string recorded_result(activity::Context& ctx, const ToolAnswer& answer,
                              std::vector<platform::StepWrite>& carried);
  void tell_failed(activity::Context& ctx, const ToolAnswer& answer);
  // Tool messages for the answers, in the order of the calls. `carried`: of those that came through the
  // history, the records that the store does not have yet.
  std::vector<model::Message> answer_messages(activity::Context& ctx, std::vector<ToolAnswer> answers,
                                              std::vector<platform::StepWrite>& carried);
  std::string output_at(const ConversationRef& head);
  std::optional<ConversationRef> append_last(activity::Context& ctx, const FinishInput& in);
  // Behind the answers, what people sent into the run meanwhile.
  void add_messages(activity::Context& ctx, const std::vector<SentMessage>& sent, std::uint32_t step,
                    std::vector<model::Message>& messages);
  // plan_directions.cc: what a role of an agent that plans is to do now.
  void add_directions(activity::Context& ctx, const ModelInput& in, std::vector<model::Message>& messages);
  void tell_interruption(activity::Context& ctx, std::uint32_t step);
  // How detached calls ended, before what people sent.
  void add_ends(activity::Context& ctx, const std::vector<DetachedEnd>& ended,
                std::vector<model::Message>& messages, std::vector<platform::StepWrite>& carried);
  // None: the call hands out no token.
  std::optional<platform::OpenedCompletion> open_completion(activity::Context& ctx, const ToolInput& in);
  bool is_completed(const ToolInput& in);
  void tell_detached(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                     const std::string& result);
  // Where a run goes on that takes up an earlier one; nothing of that is done again.
  ConversationRef take_up(activity::Context& ctx, const platform::Origin& origin, const RunInput& run,
                          const AgentDefinition& agent, const std::string& version,
                          const RunSettings& settings);
  std::optional<platform::Origin> origin_of(activity::Context& ctx, const RunInput& run,
                                            const std::optional<Fork>& fork);
  void know_past(const platform::Origin& origin, const std::optional<Fork>& fork,
                 const AgentDefinition& agent, const RunSettings& settings, Begun& out);
  // What the ledger knows of the call of that key; none: nothing.
  std::optional<ToolAnswer> recorded_under(const std::string& key);
  // What is known of a call, or that nothing is, with what is bound and, where a person edited its arguments,
  // with those. `arguments` are an object, `key_of` is the key of the call with such.
  ToolAnswer known_of_call(const AgentDefinition& agent, const Json& context, const std::string& tool,
                           Json arguments,
                           const std::function<std::string(const std::string& arguments)>& key_of);
  ToolAnswer known_answer(activity::Context& ctx, const AgentDefinition& agent, const Json& context,
                          const ConversationRef& message, const model::ToolCall& call, std::uint32_t ordinal);

  // What the hook made of what is in the ledger; none: it does not know, `why` says more.
  std::optional<platform::EffectRecord> ask_hook(activity::Context& ctx, const AgentDefinition& agent,
                                                 const ToolSpec& tool, const EffectInput& in,
                                                 const Json& made_with, std::string& why);
  UndoTryResult call_undoing(activity::Context& ctx, const AgentDefinition& agent, const HookCall& hook,
                             const UndoTryInput& in, const std::string& result_of_call);
  UndoTryResult undo_here(activity::Context& ctx, const UndoTryInput& in, const RetrySpec& retry,
                          bool is_told);
  // The calls that are to be taken back next: the same in every attempt.
  Json page_of_items(activity::Context& ctx, const UndoItemsInput& in);
  UndoTryResult undoing_unknown(activity::Context& ctx, const AgentDefinition& agent, const ToolSpec& undoing,
                                const UndoTryInput& in, const Json& arguments, std::string note);
  // Tools that were found in the conversation up to there.
  std::vector<std::string> loaded_before(activity::Context& ctx, const ConversationRef& head);

  std::string first_input(activity::Context& ctx, const RunInput& run);
  std::string version_for(activity::Context& ctx, const RunInput& run,
                          const protocol::AgentReference& reference);
  // What the run was started with; a sub-agent has the context of its caller.
  RunSettings start_settings(activity::Context& ctx, const RunInput& run, const AgentDefinition& agent);
  // By Plan::settings.
  RunSettings settings_at(const std::string& key);
  // All that are to be told, of the definition and of the start.
  std::vector<Notified> notified(const NotifyInput& in);
  // The step of the beginning, which keeps version and settings.
  static std::string begin_key(activity::Context& ctx);
  static std::string begun_with(const std::string& version, const RunSettings& settings);
  // flow_activities.cc: when the run may begin; none: it stands in no line.
  std::optional<platform::FlowTurn> take_flow(activity::Context& ctx, const AgentDefinition& agent,
                                              const std::string& input, const Json& context);
  static std::string batch_input(const platform::FlowTurn& turn, std::string own);
  // Throws until it is this run's turn there.
  void take_turn(activity::Context& ctx, const std::string& conversation);
  ConversationRef append_first(activity::Context& ctx, const RunInput& run, const AgentDefinition& agent,
                               const std::string& version, const model::Message& first,
                               const RunSettings& settings);

  // model_call.cc: which model is asked, when its key lets it, and how it is asked
  ModelChoice choose_model(activity::Context& ctx, const ModelInput& in, ModelRoute& route);
  // Before anything large is read.
  void take_slot(activity::Context& ctx, const AgentDefinition& agent, const ModelInput& in,
                 ModelChoice& chosen);
  // None: the conversation is to be made shorter before.
  std::optional<model::Outcome> ask_model(activity::Context& ctx, const AgentDefinition& agent,
                                          const ModelInput& in, const std::vector<model::Message>& answers,
                                          ModelChoice& chosen, Allowance& allowance, const std::string& key);
  void wait_for_key(activity::Context& ctx, const ModelInput& in, const ModelChoice& chosen,
                    const std::function<bool(std::chrono::milliseconds)>& ready);
  std::optional<Obstacle> obstacle_to(const ModelSpec& spec, ModelChoice* entering);
  // Throws what makes the next attempt ask another model, or says that there is none.
  [[noreturn]] void go_on_with_another(activity::Context& ctx, const ModelInput& in,
                                       const ModelChoice& chosen, ModelRoute& route,
                                       const model::Error& error, Json event);
  [[noreturn]] void fail_model_call(activity::Context& ctx, const ModelInput& in, const ModelChoice& chosen,
                                    ModelRoute& route, const model::Error& error);
  // Paid for, and of no use.
  void spoiled(const Allowance& allowance, const platform::Usage& used);
  const ModelSpec& answered_by(const AgentDefinition& agent, const ModelInput& in, const Json& result);

  model::Request model_request(activity::Context& ctx, const AgentDefinition& agent, const ModelSpec& spec,
                               const ModelInput& in, const std::vector<model::Message>& answers);
  // The same, when it is its turn, if it is a large one. `turn` stays with whoever uses the answer.
  model::Request model_request_in_turn(activity::Context& ctx, const AgentDefinition& agent,
                                       const ModelSpec& spec, const ModelInput& in,
                                       const std::vector<model::Message>& answers,
                                       const std::shared_ptr<net::LargeTurn>& turn);
  // The conversation is to be made shorter before the model is asked.
  bool is_too_much(const AgentDefinition& agent, const ModelSpec& spec, const ModelInput& in,
                   const model::Request& request, const std::vector<model::Message>& answers) const;
  model::Outcome stream_model(activity::Context& ctx, const ModelSpec& spec, model::Request request,
                              const ModelInput& in);
  [[noreturn]] void compact_failed(activity::Context& ctx, const CompactInput& in, const model::Error& error);
  // `settings`: Plan::settings.
  Plan plan_of(activity::Context& ctx, const AgentDefinition& agent, const std::string& version,
               const std::string& settings);
  // What is the same for all calls of a turn.
  struct PlanningOf {
    Json context;
    std::string environment;
    std::shared_ptr<const grant::ToolPermits> permits;  // null: all
  };
  PlannedCall plan_call(const AgentDefinition& agent, const model::ToolCall& call, std::uint32_t ordinal,
                        const ModelInput& in, const PlanningOf& run, std::optional<ShadowRuling>& shadow);
  // What the model said is planned, but for its place in the conversation; and what those who watch see of
  // it.
  struct PlannedTurn {
    ModelTurn turn;
    model::Message message;
    Json completed;
  };
  PlannedTurn plan_turn(const AgentDefinition& agent, const ModelInput& in, const Json& result,
                        const std::string& message);
  // With its place: calls have keys.
  ModelTurn placed(activity::Context& ctx, PlannedTurn planned, const ConversationRef& head);
  // Of an answer that an earlier attempt got.
  ModelTurn turn_of(activity::Context& ctx, const AgentDefinition& agent, const ModelInput& in,
                    const platform::StepRecord& record);

  // code_activity.cc: code that calls tools
  CodeEnd code_end(activity::Context& ctx, const AgentDefinition& agent, const ToolSpec& tool,
                   const CodeInput& in, const CodePast& past);
  Json code_round(const std::string& key);
  std::vector<Json> code_rounds(const std::string& last);
  void add_round(activity::Context& ctx, CodePast& past, const Json& calls,
                 const std::vector<ToolAnswer>& answers, std::vector<platform::StepWrite>& carried);
  CodePast code_past(activity::Context& ctx, const CodeInput& in, std::vector<platform::StepWrite>& carried);
  CodeAnswer answer_for_code(activity::Context& ctx, const ToolAnswer& answer, std::size_t most,
                             std::vector<platform::StepWrite>& carried);
  std::string whole_result(activity::Context& ctx, const Json& record, std::size_t most);
  Result<sandbox::Reply> evaluate_code(activity::Context& ctx, const std::string& agent,
                                       const sandbox::Request& request);
  PlannedCall plan_code_call(const AgentDefinition& agent, const ToolSpec& code, const CodeInput& in,
                             const CodeRound& round, const Json& asked, std::uint32_t place,
                             const PlanningOf& run);
  void plan_round(activity::Context& ctx, const AgentDefinition& agent, const ToolSpec& code,
                  const CodeInput& in, const std::string& record, CodeRound& out);
  void code_started(activity::Context& ctx, const ToolSpec& tool, const CodeInput& in);
  void code_ended(activity::Context& ctx, const AgentDefinition& agent, const ToolSpec& tool,
                  const CodeInput& in, CodeEnd end, const std::vector<platform::StepWrite>& carried);

  // code_take_up.cc. `last`: the key of its last round; `context`: of the run.
  std::string code_left(activity::Context& ctx, const AgentDefinition& agent, const std::string& last,
                        const Json& context);
  std::string outcome_in_round(activity::Context& ctx, const AgentDefinition& agent, const std::string& round,
                               std::uint32_t place, const Json& asked, const Json& context);
  std::string outcome_of(activity::Context& ctx, const ToolAnswer& answer);

  ToolResult call_pure(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                       const Json& arguments);
  ToolResult call_with_effect(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                              const Json& arguments, const SettleInput* settles = nullptr);
  platform::EffectRecord begin_effect(activity::Context& ctx, const platform::EffectIntent& intent,
                                      const SettleInput* settles);
  ToolEnding call_type(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                       const Json& arguments);
  ToolEnding run_tool(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                      const Json& arguments);
  // How the output of a call of this run is fitted.
  static LargeOutput output_of(activity::Context& ctx, const AgentDefinition& agent, const CallRef& call);
  void tool_completed(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                      const std::string& result);
  platform::Told completed(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                           const std::string& result);
  [[noreturn]] void retry_tool(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                               const ToolEnding& ending);

  // What a request says of the span that it is made in: `traceparent`, perhaps `tracestate`. Nothing where
  // nobody wants to know.
  net::Headers trace_headers(activity::Context& ctx, std::uint32_t step);

  // Durable, once per run, key and engine run.
  void publish(activity::Context& ctx, std::string_view type, const Json& data, const std::string& key);
  // What an attempt behind a crash tells again: without waiting for the disk.
  void publish_soon(activity::Context& ctx, std::string_view type, const Json& data, const std::string& key);
  // For the transaction of a step (platform/outbox.h).
  platform::Told told(activity::Context& ctx, std::string_view type, const Json& data,
                      const std::string& key) const;
  // That a step has begun.
  void publish_begun(activity::Context& ctx, const Json& data, const std::string& key);
  void publish_to(const std::string& run, std::string_view type, const Json& data, const std::string& key);

  Deps deps_;
  // What a tool said, without the values of secrets and of tokens.
  std::string without_secrets(std::string text) const;
  // Of what comes from models and tools, with the secrets of now. Never null.
  std::shared_ptr<const Redaction> redaction() const {
    return deps_.grants != nullptr ? deps_.grants->current_redaction() : std::make_shared<const Redaction>();
  }
  Spend spend_;
  ConversationTurns turns_;
  Transcripts transcripts_;
  CodePasts code_pasts_;
  AgentMetrics metrics_;
  std::map<std::string, platform::TraceContext> traces_;  // by run; guarded by mutex_
  std::mutex reading_;  // held by the one call that finds out how large it is
  std::mutex mutex_;
  std::map<std::string, std::string> environments_;                // by settings; guarded by mutex_
  std::map<std::string, DefinitionPtr> definitions_;               // by version; guarded by mutex_
  std::map<std::string, std::shared_ptr<model::Client>> clients_;  // by endpoint; guarded by mutex_
};

// The value, or an ApplicationFailure: final when the request itself is at fault, repeated when the store is.
template <typename T>
T require(Result<T> result, std::string_view what);
void require_ok(const Status& status, std::string_view what);
[[noreturn]] void throw_status(const Status& status, std::string_view what);

template <typename T>
T require(Result<T> result, std::string_view what) {
  if (!result) throw_status(result.error(), what);
  return std::move(*result);
}

// Ties the activity's cancellation and heartbeat to a blocking call.
class Beat {
 public:
  explicit Beat(activity::Context& ctx) : ctx_(ctx) {}
  void operator()() {
    ctx_.heartbeat();
    if (ctx_.is_cancelled()) source_.request_stop();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  activity::Context& ctx_;
  std::stop_source source_;
};

// An answer without calls may be the run's.
bool may_be_final(const ModelInput& in);
// {"text": ..., "is_error": ...}: how the result of a call is recorded; with `more`, an object, if there is
// any.
std::string tool_record(const std::string& text, bool is_error, const Json& more = {});
std::string excerpt(const std::string& text);

}  // namespace holdfast::agent
