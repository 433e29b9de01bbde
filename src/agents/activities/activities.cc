#include "activities/activities.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "activities/builtin_tools.h"
#include "activities/call_arguments.h"
#include "activities/caller_answer.h"
#include "activities/carried_result.h"
#include "activities/catalog.h"
#include "activities/first_message.h"
#include "activities/fork_start.h"
#include "activities/large_output.h"
#include "activities/search_tools.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "definition/agent_in_flow.h"
#include "holdfast/failure.h"
#include "platform/find_version.h"
#include "protocol/events.h"
#include "protocol/flow_run.h"

namespace holdfast::agent {

void throw_status(const Status& status, std::string_view what) {
  bool final = false;
  switch (status.code()) {
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
    case Code::kDataLoss: final = true; break;
    default: break;
  }
  throw ApplicationFailure(fmt::format("{}: {}", what, status.message()),
                           std::string(code_name(status.code())), final);
}

void require_ok(const Status& status, std::string_view what) {
  if (!status.ok()) throw_status(status, what);
}

std::string excerpt(const std::string& text) {
  return bounded_text(text, kMaxEventText);
}

std::string tool_record(const std::string& text, bool is_error, const Json& more) {
  Json record = {{"text", text}, {"is_error", is_error}};
  if (more.is_object()) record.update(more);
  return dump_json(record);
}

void Activities::publish_to(const std::string& run, std::string_view type, const Json& data,
                            const std::string& key) {
  require(deps_.streams->publish(run, type, dump_json(data), key), "publishing an event");
}

void Activities::publish(activity::Context& ctx, std::string_view type, const Json& data,
                         const std::string& key) {
  publish_to(ctx.info().workflow_id, type, data, fmt::format("{}/{}", ctx.info().run_id, key));
}

void Activities::publish_soon(activity::Context& ctx, std::string_view type, const Json& data,
                              const std::string& key) {
  require_ok(deps_.streams->publish_soon(ctx.info().workflow_id, type, dump_json(data),
                                         fmt::format("{}/{}", ctx.info().run_id, key)),
             "publishing an event");
}

platform::Told Activities::told(activity::Context& ctx, std::string_view type, const Json& data,
                                const std::string& key) const {
  return {ctx.info().workflow_id, std::string(type), dump_json(data),
          fmt::format("{}/{}", ctx.info().run_id, key)};
}

void Activities::publish_begun(activity::Context& ctx, const Json& data, const std::string& key) {
  publish_soon(ctx, protocol::event::kStepStarted, data, key);
}

Activities::DefinitionPtr Activities::definition(const std::string& agent, const std::string& version) {
  const auto block = protocol::block_of_agent(agent);
  const std::string known = block ? version + "." + block->block : version;
  {
    std::lock_guard lock(mutex_);
    auto found = definitions_.find(known);
    if (found != definitions_.end() && found->second->name == agent) return found->second;
  }
  const std::string what = fmt::format("the definition of agent {}", agent);
  auto stored = require(deps_.store->definition(block ? block->flow : agent, version), what);
  const auto read = [&]() -> Result<AgentDefinition> {
    if (block) return agent_in_flow(agent_catalog(), stored.text, *block);
    if (is_flow(agent)) return calls_of_flow(agent_catalog(), stored.text, agent);
    return parse_definition(stored.text, agent);
  };
  auto parsed = std::make_shared<const AgentDefinition>(require(read(), what));
  std::lock_guard lock(mutex_);
  if (definitions_.size() >= kMaxCachedDefinitions) definitions_.clear();
  definitions_[known] = parsed;
  return parsed;
}

std::string Activities::arguments_text(const CallRef& call) {
  // Most calls are made at once: the message that holds them is the last.
  if (call.approval.empty() && call.round.empty()) {
    if (const SaidPtr said = transcripts_.last(call.message)) return call_text_in(call, said->message);
  }
  return call_text(*deps_.store, call);
}

std::string Activities::edited_text(const CallRef& call) {
  return require(deps_.store->approval(call.approval), "the approval of the call").edited_arguments;
}

std::string Activities::text_in(const CallRef& call, const std::vector<platform::Message>& messages) {
  return call_text_in(call, messages);
}

Json Activities::bound_arguments(const CallRef& call, const std::string& text) {
  return agent::bound_arguments(call, text);
}

Json Activities::arguments_of(const CallRef& call) {
  return agent::bound_arguments(call, arguments_text(call));
}

Json Activities::arguments_in(const CallRef& call, const std::vector<platform::Message>& messages) {
  return bound_arguments(call, call.approval.empty() ? text_in(call, messages) : edited_text(call));
}

// ---- begin

std::string Activities::first_input(activity::Context& ctx, const RunInput& run) {
  if (run.caller) {
    Json arguments = arguments_of(run.caller->call);
    auto input = arguments.find("input");
    if (!run.caller->for_each.empty()) {
      const Json item = arguments.at(run.caller->for_each).at(run.caller->item);
      return item.is_string() ? item.get<std::string>() : dump_json(item);
    }
    return input != arguments.end() && input->is_string() ? input->get<std::string>() : dump_json(arguments);
  }
  Json input = run.input;
  if (input.is_null()) {
    auto stored = require(deps_.store->run(ctx.info().workflow_id), "the stored input of the run");
    input = parse_json(stored.input);
    if (input.is_discarded()) return stored.input;
  }
  return input.is_string() ? input.get<std::string>() : dump_json(input);
}

// What an earlier attempt began with; else what the run names, or is current.
std::string Activities::version_for(activity::Context& ctx, const RunInput& run,
                                    const protocol::AgentReference& reference) {
  if (!run.version.empty()) return run.version;
  const auto begun = require(deps_.store->lookup_step(begin_key(ctx)), "the begin of the run");
  if (begun) {
    const Json record = parse_json(begun->result);
    if (record.is_object() && record.contains("version")) return record["version"].get<std::string>();
  }
  auto found = platform::find_version(*deps_.store, reference.agent, reference.version);
  if (!found) throw_status(found.error(), fmt::format("there is no agent `{}`; deploy it first", run.agent));
  return found->hash;
}

std::string Activities::begin_key(activity::Context& ctx) {
  return "begin:" +
         sha256_hex(ctx.info().namespace_name + "/" + ctx.info().workflow_id + "/" + ctx.info().run_id);
}

std::string Activities::begun_with(const std::string& version, const RunSettings& settings) {
  Json out = parse_json(settings_text(settings));
  if (!out.is_object()) out = Json::object();
  out["version"] = version;
  return dump_json(out);
}

ConversationRef Activities::append_first(activity::Context& ctx, const RunInput& run,
                                         const AgentDefinition& agent, const std::string& version,
                                         const model::Message& first, const RunSettings& settings) {
  const std::string& id = ctx.info().workflow_id;
  const std::string conversation = run.conversation.empty() ? id : run.conversation;
  platform::StepWrite write;
  write.key = begin_key(ctx);
  write.run = id;
  auto head = deps_.store->head(conversation, 0);
  if (!head && head.error().code() != Code::kNotFound) throw_status(head.error(), "the conversation");
  // A conversation of its own, in which nobody has spoken yet, needs no line.
  if (head || conversation != id) {
    if (auto record = require(deps_.store->lookup_step(write.key), "looking up the step"))
      return record->appended->head;
    take_turn(ctx, conversation);
    head = deps_.store->head(conversation, 0);
    if (!head && head.error().code() != Code::kNotFound) throw_status(head.error(), "the conversation");
  }
  write.expected = head ? *head : platform::Store::empty_conversation(conversation);
  write.at_head_only = true;
  write.messages = {model::to_json(first)};
  write.result = begun_with(version, settings);
  spend_.begin(ctx, run, agent, version, write);
  record_start(ctx, run, agent, version, first.text(), settings, write);
  auto committed = deps_.store->commit_step(write);
  if (!committed) throw_refusal(committed.error());
  auto record = require(std::move(committed), "storing the input");
  if (!record.replayed) transcripts_.wrote(*write.expected, write.messages, record.appended->head);
  return record.appended->head;
}

void Activities::take_turn(activity::Context& ctx, const std::string& conversation) {
  turns_.take(ctx, conversation, ctx.info().workflow_id, [&](const std::string& behind) {
    publish(ctx, protocol::event::kRunWaiting,
            {{"on", "conversation"}, {"conversation", conversation}, {"behind", behind}},
            "run.waiting/" + behind);
  });
}

// Of runs that the platform started: what they go on from. A fork's is that by which the forks of a run are
// found.
std::optional<platform::Origin> Activities::origin_of(activity::Context& ctx, const RunInput& run,
                                                      const std::optional<Fork>& fork) {
  if (!fork && (run.caller || !run.input.is_null())) return std::nullopt;
  if (!fork) return require(deps_.store->origin(ctx.info().workflow_id), "what the run takes up");
  platform::Origin out;
  out.run = ctx.info().workflow_id;
  out.origin = fork->run;
  out.state = kForkOrigin;
  out.by = fork->by;
  return out;
}

Begun Activities::begin(activity::Context& ctx, const BeginInput& in) {
  const RunInput& run = in.run;
  if (run.caller && run.caller->depth > kMaxAgentDepth) {
    throw ApplicationFailure::non_retryable(
        fmt::format("agents call each other more than {} deep; break the circle", kMaxAgentDepth),
        "AgentDepthError");
  }
  if (run.caller) require_granted(ctx, *run.caller);
  const protocol::AgentReference reference = require(protocol::parse_agent_reference(run.agent), "the agent");
  const std::string& name = reference.agent;
  const std::string version = version_for(ctx, run, reference);
  DefinitionPtr agent = definition(name, version);
  RunSettings settings = start_settings(ctx, run, *agent);
  // Others than the platform start runs by a label, too.
  if (!run.caller && settings.environment.empty() && protocol::is_label(reference.version))
    settings.environment = reference.version;
  std::string text = first_input(ctx, run);
  const auto flow = take_flow(ctx, *agent, text, settings.context);
  if (flow) text = batch_input(*flow, std::move(text));
  const std::optional<Fork> fork = fork_of(*deps_.store, ctx, run);
  const std::optional<platform::Origin> origin = origin_of(ctx, run, fork);
  Begun out;
  // What a label names is asked once: an attempt after this one finds it with the input.
  if (origin && !origin->state.empty()) {
    out.head = take_up(ctx, *origin, run, *agent, version, settings);
    out.takes_up = true;
  } else {
    out.head = append_first(
        ctx, run, *agent, version,
        run.caller ? model::Message::user(text) : require(first_message(text), "the input"), settings);
  }
  if ((fork || !run.conversation.empty()) && searches_tools(*agent))
    out.loaded = loaded_before(ctx, out.head);
  Json started = {{"agent", name},
                  {"version", version},
                  {"input", excerpt(text)},
                  {"conversation", out.head.conversation}};
  if (!reference.version.empty()) started["asked_for"] = run.agent;
  if (fork) {
    started["forked_from"] = {{"run", fork->run}, {"message", fork->at.sequence}};
    started["branch"] = out.head.branch;
  } else if (origin) {
    started["origin"] = origin->origin;
  }
  if (flow && flow->row.place.rules.batch > 0) {
    started["batch"] = Json::array({flow->row.place.run});
    for (const platform::FlowRow& other : flow->stands_for) started["batch"].push_back(other.place.run);
  }
  if (run.caller) {
    const Caller& caller = *run.caller;
    started["parent"] = {{"run", caller.run}, {"step", caller.call.step}};
    const char* kind = protocol::block_of_agent(name) ? "model" : "agent";
    Json step = {{"step", caller.call.step},   {"kind", kind}, {"name", caller.call.tool},
                 {"arguments", excerpt(text)}, {"attempt", 1}, {"run", ctx.info().workflow_id},
                 {"version", version}};
    if (caller.call.within != 0) step["within"] = caller.call.within;
    publish_to(caller.run, protocol::event::kStepStarted, step, "child/" + caller.call.key + "/started");
  }
  publish(ctx, protocol::event::kRunStarted, started, "run.started");
  out.plan = plan_of(ctx, *agent, version, settings_text(settings).empty() ? "" : begin_key(ctx));
  out.plan.requester = run.caller ? run.caller->requester : settings.started_by;
  if (out.takes_up) know_past(*origin, fork, *agent, settings, out);
  return out;
}

Plan Activities::plan_of(activity::Context& ctx, const AgentDefinition& agent, const std::string& version,
                         const std::string& settings) {
  Plan plan;
  plan.agent = agent.name;
  plan.version = version;
  plan.flags = kLoopFlags;
  plan.settings = settings;
  plan.decision_key = deps_.decision_key;
  plan.notifies = notified_events(agent.notify) |
                  notified_events(require(read_notify(agent_catalog(), settings_at(settings).notify),
                                          "`notify` of the run"));
  plan.max_iterations = agent.limits.max_iterations;
  plan.max_parallel_tools = agent.limits.max_parallel_tools;
  plan.run_timeout_ms = agent.limits.run_timeout.count();
  plan.wall_deadline_ms = spend_.wall_deadline_ms(ctx.info().workflow_id);
  plan.model_timeout_ms = agent.model.timeout.count();
  plan.model_retry = {{"initial_ms", agent.model.retry.initial.count()},
                      {"backoff", agent.model.retry.backoff},
                      {"maximum_ms", agent.model.retry.max_interval.count()},
                      {"attempts", attempts_of(agent.model)}};
  plan.steering = agent.steering.policy;
  plan.park_on_failure = agent.steering.park_on_failure;
  plan.stop_on_reject = agent.steering.stop_on_reject;
  plan.one_activity = agent.orchestration.one_activity;
  plan.watched = watched_tools(agent.approvals);
  if (const auto& planning = agent.orchestration.planning) {
    plan.plans.emplace();
    plan.plans->reviewed = planning->reviewer.has_value();
    plan.plans->max_rejections = planning->max_rejections;
    for (const Stage stage : {Stage::kPlanner, Stage::kReviewer, Stage::kExecutor})
      plan.model_retry["attempts"] =
          std::max(plan.model_retry.value("attempts", 1), attempts_of(agent.model_of(to_string(stage))));
  }
  return plan;
}

Plan Activities::plan(activity::Context& ctx, const PlanInput& in) {
  return plan_of(ctx, *definition(in.agent, in.version), in.version, in.settings);
}

// A conversation that goes on does so with the tools that it has found.
std::vector<std::string> Activities::loaded_before(activity::Context& ctx, const ConversationRef& head) {
  std::vector<std::string> out;
  std::set<std::string> searches;  // ids of calls
  for (std::uint64_t first = 1; first <= head.sequence; first += platform::kMaxPage) {
    const std::uint64_t last = std::min<std::uint64_t>(head.sequence, first + platform::kMaxPage - 1);
    for (const platform::Message& stored :
         require(deps_.store->read(head, first, last), "the conversation")) {
      const model::Message message = require(model::message_from_json(stored.json), "a stored message");
      for (const model::ToolCall& call : message.tool_calls) {
        if (call.name == kSearchTools.name) searches.insert(call.id);
      }
      if (message.role == model::Role::kTool && searches.contains(message.tool_call_id))
        add_loaded(out, names_found(message.text()));
    }
    ctx.heartbeat();
  }
  return out;
}

// ---- finish

std::string Activities::output_at(const ConversationRef& head) {
  auto messages = require(deps_.store->read(head, head.sequence, head.sequence), "the last message");
  if (messages.empty()) return "";
  return require(model::message_from_json(messages.front().json), "the last message").text();
}

// What was answered and said stays part of the conversation.
std::optional<ConversationRef> Activities::append_last(activity::Context& ctx, const FinishInput& in) {
  if (in.answers.empty() && in.messages.empty() && in.ended.empty()) return std::nullopt;
  const std::string& run = ctx.info().workflow_id;
  std::vector<platform::StepWrite> carried;
  std::vector<model::Message> messages = answer_messages(ctx, in.answers, carried);
  add_ends(ctx, in.ended, messages, carried);
  add_messages(ctx, in.messages, 0, messages);
  platform::StepWrite write;
  write.key = "finish:" + sha256_hex(run + "/" + ctx.info().run_id);
  write.run = run;
  write.expected = in.head;
  for (const model::Message& message : messages) write.messages.push_back(model::to_json(message));
  write.result = "{}";
  return require(deps_.outbox->commit_step(write, {}, carried), "storing the last answers").appended->head;
}

Finished Activities::finish(activity::Context& ctx, const FinishInput& in) {
  Finished out;
  const std::string& run = ctx.info().workflow_id;
  if (in.status == RunEnd::kCompleted) out.output = output_at(in.head);
  if (in.status == RunEnd::kMaxIterations) out.output = "max iterations reached";
  const bool succeeded = in.status == RunEnd::kCompleted || in.status == RunEnd::kMaxIterations;
  try {
    out.head = append_last(ctx, in);
  } catch (const ApplicationFailure& failure) {
    if (succeeded || !failure.is_non_retryable()) throw;  // else the end is told all the same
  }
  if (in.held) require_ok(deps_.store->release_run(run), "recording that the run does not wait any more");
  if (in.caller && succeeded) {
    const Caller& caller = *in.caller;
    const CallRef& call = caller.call;
    // A flow tells itself what its block came to.
    const bool of_flow = protocol::is_flow(caller.agent);
    const DefinitionPtr agent = of_flow ? nullptr : definition(caller.agent, caller.version);
    platform::StepWrite write = answer_to(*deps_.store, caller, agent.get(), out.output);
    write.said.push_back(record_of_end(ctx, in, out.head.value_or(in.head)));
    require(deps_.store->commit_step(write), "storing the answer for whoever called");
    Json step = {{"step", call.step}, {"kind", "agent"}, {"name", call.tool}, {"result", excerpt(out.output)},
                 {"is_error", false}, {"run", run}};
    if (!of_flow)
      publish_to(caller.run, protocol::event::kStepCompleted, step, "child/" + call.key + "/completed");
  }
  if (!in.caller || !succeeded) record_end(ctx, in, out.head.value_or(in.head));
  if (in.caller) metrics_.sub_agent_ended(in.agent, to_string(in.status));
  Json usage = in.usage;
  if (succeeded) {
    Json done = {{"output", excerpt(out.output)},
                 {"iterations", in.iterations},
                 {"usage", usage},
                 {"max_iterations_reached", in.status == RunEnd::kMaxIterations}};
    publish(ctx, protocol::event::kRunCompleted, done, "run.end");
  } else if (in.status == RunEnd::kCanceled) {
    Json canceled = {{"reason", in.error}, {"iterations", in.iterations}, {"usage", usage}};
    if (!in.not_undone.empty()) canceled["not_undone"] = in.not_undone;
    publish(ctx, protocol::event::kRunCanceled, canceled, "run.end");
  } else {
    Json failed = {
        {"error_type", in.error_type}, {"error", in.error}, {"iterations", in.iterations}, {"usage", usage}};
    if (!in.not_undone.empty()) failed["not_undone"] = in.not_undone;
    publish(ctx, protocol::event::kRunFailed, failed, "run.end");
  }
  turns_.leave(run, in.head.conversation);
  return out;
}

// ---- answers

void Activities::tell_failed(activity::Context& ctx, const ToolAnswer& answer) {
  publish_soon(ctx, protocol::event::kStepFailed, {{"step", answer.step}, {"error", excerpt(answer.text)}},
               fmt::format("step/{}/failed", answer.step));
}

std::string Activities::recorded_result(activity::Context& ctx, const ToolAnswer& answer,
                                        std::vector<platform::StepWrite>& carried) {
  if (answer.source == AnswerSource::kStep && !answer.carried.empty()) {
    const CarriedResult call = CarriedResult::read(answer.carried);
    publish_soon(ctx, protocol::event::kStepCompleted, call.event(), call.event_key());
    carried.push_back(call.step_write(ctx.info().workflow_id, answer.key));
    return call.record;
  }
  std::optional<std::string> result;
  if (answer.source == AnswerSource::kEffect) {
    if (auto effect = require(deps_.store->lookup_effect(answer.key), "the result of a call"))
      result = std::move(effect->result);
  } else if (auto step = require(deps_.store->lookup_step(answer.key), "the result of a call")) {
    result = std::move(step->result);
  }
  if (!result) throw ApplicationFailure::non_retryable("the result of a call is gone", "NOT_FOUND");
  return *std::move(result);
}

std::vector<model::Message> Activities::answer_messages(activity::Context& ctx,
                                                        std::vector<ToolAnswer> answers,
                                                        std::vector<platform::StepWrite>& carried) {
  std::sort(answers.begin(), answers.end(),
            [](const ToolAnswer& a, const ToolAnswer& b) { return a.ordinal < b.ordinal; });
  std::vector<model::Message> out;
  for (const ToolAnswer& answer : answers) {
    if (answer.source == AnswerSource::kError) {
      if (answer.step != 0) tell_failed(ctx, answer);
      out.push_back(model::Message::tool(answer.id, "Error: " + answer.text, true));
      continue;
    }
    if (answer.source == AnswerSource::kText) {
      out.push_back(model::Message::tool(answer.id, answer.text));
      continue;
    }
    Json parsed = Json::parse(recorded_result(ctx, answer, carried));
    const bool is_error = parsed.value("is_error", false);
    std::string text = parsed.value("text", "");
    if (!answer.text.empty() && !is_error) text = answer.text + "\n" + text;
    out.push_back(model::Message::tool(answer.id, is_error ? "Error: " + text : text, is_error));
  }
  return out;
}

}  // namespace holdfast::agent
