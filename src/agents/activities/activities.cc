#include "activities/activities.h"

#include <fmt/format.h>

#include "activities/catalog.h"
#include "activities/first_message.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "holdfast/failure.h"
#include "protocol/events.h"

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

std::string tool_record(const std::string& text, bool is_error) {
  return dump_json(Json{{"text", text}, {"is_error", is_error}});
}

void Activities::publish_to(const std::string& run, std::string_view type, const Json& data,
                            const std::string& key) {
  require(deps_.streams->publish(run, type, dump_json(data), key), "publishing an event");
}

void Activities::publish(activity::Context& ctx, std::string_view type, const Json& data,
                         const std::string& key) {
  publish_to(ctx.info().workflow_id, type, data, fmt::format("{}/{}", ctx.info().run_id, key));
}

void Activities::publish_begun(activity::Context& ctx, const Json& data, const std::string& key) {
  require_ok(deps_.streams->publish_soon(ctx.info().workflow_id, protocol::event::kStepStarted,
                                         dump_json(data), fmt::format("{}/{}", ctx.info().run_id, key)),
             "publishing an event");
}

Activities::DefinitionPtr Activities::definition(const std::string& agent, const std::string& version) {
  {
    std::lock_guard lock(mutex_);
    auto found = definitions_.find(version);
    if (found != definitions_.end() && found->second->name == agent) return found->second;
  }
  auto stored =
      require(deps_.store->definition(agent, version), fmt::format("the definition of agent {}", agent));
  auto parsed = std::make_shared<const AgentDefinition>(
      require(parse_definition(stored.text, agent), fmt::format("the stored definition of agent {}", agent)));
  std::lock_guard lock(mutex_);
  if (definitions_.size() >= kMaxCachedDefinitions) definitions_.clear();
  definitions_[version] = parsed;
  return parsed;
}

std::string Activities::arguments_text(const CallRef& call) {
  if (!call.approval.empty()) {
    auto approval = require(deps_.store->approval(call.approval), "the approval of the call");
    return approval.edited_arguments;
  }
  auto messages = require(deps_.store->read(call.message, call.message.sequence, call.message.sequence),
                          "the message that holds the call");
  if (messages.empty())
    throw ApplicationFailure::non_retryable("the message that holds the call is gone", "NOT_FOUND");
  auto message = require(model::message_from_json(messages.front().json), "the message that holds the call");
  if (call.ordinal >= message.tool_calls.size()) {
    throw ApplicationFailure::non_retryable("the message does not hold that call", "NOT_FOUND");
  }
  return message.tool_calls[call.ordinal].arguments;
}

Json Activities::arguments_of(const CallRef& call) {
  std::string text = arguments_text(call);
  Json arguments = parse_json(text.empty() ? "{}" : text);
  if (!arguments.is_object()) {
    throw ApplicationFailure::non_retryable("the arguments are no JSON object", "INVALID_ARGUMENT");
  }
  if (call.bound.is_object()) arguments.update(call.bound);
  return arguments;
}

// ---- begin

std::string Activities::first_input(activity::Context& ctx, const RunInput& run) {
  if (run.caller) {
    Json arguments = arguments_of(run.caller->call);
    auto input = arguments.find("input");
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

std::string Activities::begin_key(activity::Context& ctx) {
  return "begin:" +
         sha256_hex(ctx.info().namespace_name + "/" + ctx.info().workflow_id + "/" + ctx.info().run_id);
}

ConversationRef Activities::append_first(activity::Context& ctx, const RunInput& run,
                                         const model::Message& first, const RunSettings& settings) {
  const std::string conversation = run.conversation.empty() ? ctx.info().workflow_id : run.conversation;
  platform::StepWrite write;
  write.key = begin_key(ctx);
  write.run = ctx.info().workflow_id;
  auto head = deps_.store->head(conversation, 0);
  if (!head && head.error().code() != Code::kNotFound) throw_status(head.error(), "the conversation");
  write.expected = head ? *head : platform::Store::empty_conversation(conversation);
  write.messages = {model::to_json(first)};
  const std::string kept = settings_text(settings);
  write.result = kept.empty() ? "{}" : kept;
  auto record = require(deps_.store->commit_step(write), "storing the input");
  return record.appended->head;
}

Begun Activities::begin(activity::Context& ctx, const BeginInput& in) {
  const RunInput& run = in.run;
  if (run.caller && run.caller->depth > kMaxAgentDepth) {
    throw ApplicationFailure::non_retryable(
        fmt::format("agents call each other more than {} deep; break the circle", kMaxAgentDepth),
        "AgentDepthError");
  }
  std::string version = run.version;
  if (version.empty()) {
    auto current = deps_.store->current_definition(run.agent);
    if (!current)
      throw_status(current.error(), fmt::format("there is no agent `{}`; deploy it first", run.agent));
    version = current->hash;
  }
  DefinitionPtr agent = definition(run.agent, version);
  const RunSettings settings = start_settings(ctx, run, *agent);
  const std::string text = first_input(ctx, run);
  Begun out;
  out.head = append_first(ctx, run,
                          run.caller ? model::Message::user(text) : require(first_message(text), "the input"),
                          settings);
  Json started = {{"agent", run.agent},
                  {"version", version},
                  {"input", excerpt(text)},
                  {"conversation", out.head.conversation}};
  if (run.caller) {
    const Caller& caller = *run.caller;
    started["parent"] = {{"run", caller.run}, {"step", caller.call.step}};
    Json step = {{"step", caller.call.step},   {"kind", "agent"}, {"name", caller.call.tool},
                 {"arguments", excerpt(text)}, {"attempt", 1},    {"run", ctx.info().workflow_id}};
    publish_to(caller.run, protocol::event::kStepStarted, step, "child/" + caller.call.key + "/started");
  }
  publish(ctx, protocol::event::kRunStarted, started, "run.started");
  Plan& plan = out.plan;
  plan.agent = run.agent;
  plan.version = version;
  plan.flags = kLoopFlags;
  if (!settings_text(settings).empty()) plan.settings = begin_key(ctx);
  plan.notifies =
      notified_events(agent->notify) |
      notified_events(require(read_notify(agent_catalog(), settings.notify), "`notify` of the run"));
  plan.max_iterations = agent->limits.max_iterations;
  plan.max_parallel_tools = agent->limits.max_parallel_tools;
  plan.run_timeout_ms = agent->limits.run_timeout.count();
  plan.model_timeout_ms = agent->model.timeout.count();
  plan.model_retry = {{"initial_ms", agent->model.retry.initial.count()},
                      {"backoff", agent->model.retry.backoff},
                      {"maximum_ms", agent->model.retry.max_interval.count()},
                      {"attempts", agent->model.retry.attempts}};
  return out;
}

// ---- finish

std::string Activities::output_at(const ConversationRef& head) {
  auto messages = require(deps_.store->read(head, head.sequence, head.sequence), "the last message");
  if (messages.empty()) return "";
  return require(model::message_from_json(messages.front().json), "the last message").text();
}

Finished Activities::finish(activity::Context& ctx, const FinishInput& in) {
  Finished out;
  const std::string& run = ctx.info().workflow_id;
  if (in.status == RunEnd::kCompleted) out.output = output_at(in.head);
  if (in.status == RunEnd::kMaxIterations) out.output = "max iterations reached";
  if (!in.answers.empty()) {  // what the tools answered stays part of the conversation
    platform::StepWrite write;
    write.key = "finish:" + sha256_hex(run + "/" + ctx.info().run_id);
    write.run = run;
    write.expected = in.head;
    for (const model::Message& message : answer_messages(ctx, in.answers)) {
      write.messages.push_back(model::to_json(message));
    }
    write.result = "{}";
    require(deps_.store->commit_step(write), "storing the last answers");
  }
  const bool succeeded = in.status == RunEnd::kCompleted || in.status == RunEnd::kMaxIterations;
  if (in.caller && succeeded) {
    const CallRef& call = in.caller->call;
    DefinitionPtr caller = definition(in.caller->agent, in.caller->version);
    platform::StepWrite write;
    write.key = "tool:" + call.key;
    write.run = in.caller->run;
    write.result = tool_record(bounded_text(out.output, caller->limits.max_tool_output_bytes), false);
    require(deps_.store->commit_step(write), "storing the answer for the calling agent");
    Json step = {{"step", call.step}, {"kind", "agent"}, {"name", call.tool}, {"result", excerpt(out.output)},
                 {"is_error", false}, {"run", run}};
    publish_to(in.caller->run, protocol::event::kStepCompleted, step, "child/" + call.key + "/completed");
  }
  Json usage = in.usage;
  if (succeeded) {
    Json done = {{"output", excerpt(out.output)},
                 {"iterations", in.iterations},
                 {"usage", usage},
                 {"max_iterations_reached", in.status == RunEnd::kMaxIterations}};
    publish(ctx, protocol::event::kRunCompleted, done, "run.end");
  } else if (in.status == RunEnd::kCanceled) {
    publish(ctx, protocol::event::kRunCanceled,
            {{"reason", in.error}, {"iterations", in.iterations}, {"usage", usage}}, "run.end");
  } else {
    Json failed = {
        {"error_type", in.error_type}, {"error", in.error}, {"iterations", in.iterations}, {"usage", usage}};
    publish(ctx, protocol::event::kRunFailed, failed, "run.end");
  }
  return out;
}

// ---- answers

std::vector<model::Message> Activities::answer_messages(activity::Context& ctx,
                                                        std::vector<ToolAnswer> answers) {
  std::sort(answers.begin(), answers.end(),
            [](const ToolAnswer& a, const ToolAnswer& b) { return a.ordinal < b.ordinal; });
  std::vector<model::Message> out;
  for (const ToolAnswer& answer : answers) {
    if (answer.source == AnswerSource::kError) {
      if (answer.step != 0) {
        publish(ctx, protocol::event::kStepFailed, {{"step", answer.step}, {"error", excerpt(answer.text)}},
                fmt::format("step/{}/failed", answer.step));
      }
      out.push_back(model::Message::tool(answer.id, "Error: " + answer.text, true));
      continue;
    }
    std::string result;
    if (answer.source == AnswerSource::kEffect) {
      auto record = require(deps_.store->lookup_effect(answer.key), "the result of a call");
      if (!record) throw ApplicationFailure::non_retryable("the result of a call is gone", "NOT_FOUND");
      result = record->result;
    } else {
      auto record = require(deps_.store->lookup_step(answer.key), "the result of a call");
      if (!record) throw ApplicationFailure::non_retryable("the result of a call is gone", "NOT_FOUND");
      result = record->result;
    }
    Json parsed = Json::parse(result);
    const bool is_error = parsed.value("is_error", false);
    std::string text = parsed.value("text", "");
    out.push_back(model::Message::tool(answer.id, is_error ? "Error: " + text : text, is_error));
  }
  return out;
}

}  // namespace holdfast::agent
