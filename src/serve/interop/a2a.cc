#include "interop/a2a.h"

#include <fmt/format.h>

#include <array>

#include "base/ascii.h"
#include "base/text.h"
#include "interop/a2a_list.h"
#include "interop/a2a_stream.h"
#include "interop/agent_words.h"
#include "interop/decisions.h"
#include "interop/questions.h"
#include "interop/start.h"
#include "protocol/flow_run.h"

namespace holdfast::interop {

namespace {

constexpr int kTaskNotFound = -32001;
constexpr int kTaskNotCancelable = -32002;
constexpr int kNoPushNotifications = -32003;
constexpr int kUnsupported = -32004;
constexpr int kContentType = -32005;
constexpr int kNoExtendedCard = -32007;
constexpr int kVersionUnknown = -32009;

enum class Method : std::uint8_t {
  kSend,
  kStream,
  kGet,
  kList,
  kCancel,
  kSubscribe,
  kPush,
  kExtendedCard,
  kOther
};

struct MethodName {
  const char* now;
  const char* old;
  Method method;
};
constexpr std::array<MethodName, 7> kMethods = {
    {{"SendMessage", "message/send", Method::kSend},
     {"SendStreamingMessage", "message/stream", Method::kStream},
     {"GetTask", "tasks/get", Method::kGet},
     {"ListTasks", "tasks/list", Method::kList},
     {"CancelTask", "tasks/cancel", Method::kCancel},
     {"SubscribeToTask", "tasks/resubscribe", Method::kSubscribe},
     {"GetExtendedAgentCard", "agent/getAuthenticatedExtendedCard", Method::kExtendedCard}}};

struct Asked {
  Method method = Method::kOther;
  A2aVersion version = A2aVersion::k10;
};

Asked method_of(std::string_view name) {
  for (const MethodName& one : kMethods) {
    if (name == one.now) return {one.method, A2aVersion::k10};
    if (name == one.old) return {one.method, A2aVersion::k03};
  }
  const bool push = name.find("PushNotificationConfig") != std::string_view::npos ||
                    name.find("pushNotificationConfig") != std::string_view::npos;
  return {push ? Method::kPush : Method::kOther, A2aVersion::k10};
}

RpcError error_of(int code, std::string message, std::string_view reason) {
  return {code, std::move(message),
          Json::array({{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                        {"reason", reason},
                        {"domain", "a2a-protocol.org"}}})};
}

RpcError invalid(std::string message) {
  return {kInvalidParams, std::move(message)};
}

RpcError from_problem(const net::Problem& problem) {
  const int code = problem.status() >= 500 ? kInternalError : kInvalidParams;
  return error_of(code, problem.detail(), problem.code());
}

// One request on its way.
struct A2aCall {
  const Host& host;
  const net::Request& request;
  const RpcMessage& message;
  A2aVersion version;
  std::string agent;

  A2aWords words() const { return A2aWords(version); }
  // Without the version that may stand behind it.
  std::string agent_name() const { return agent.substr(0, agent.find('@')); }
  void fail(net::Responder responder, const RpcError& error) const {
    responder.reply(rpc_error_response(message.id, error, 200));
  }
  void give(net::Responder responder, Json result) const {
    net::Response response;
    response.body = rpc_result(message.id, std::move(result));
    responder.reply(std::move(response));
  }
  WallTime now() const { return host.environment->clock().now(); }
};

// ---- tasks

std::expected<A2aTask, RpcError> task_of(const A2aCall& call, const std::string& id) {
  const auto missing =
      error_of(kTaskNotFound, fmt::format("there is no task '{}'", id.substr(0, 200)), "TASK_NOT_FOUND");
  const auto found = call.host.runs->find(id);
  if (!found) return std::unexpected(missing);
  if (!call.agent.empty() && found->agent != call.agent_name()) return std::unexpected(missing);
  auto task = read_task(call.host, id);
  if (!task) return std::unexpected(from_problem(call.host.problem_of(task.error())));
  return *std::move(task);
}

// The stream or the wait for what the task comes to, from a mark on.
void follow_task(const A2aCall& call, A2aTask task, bool streams, std::string_view mark,
                 net::Responder responder) {
  const Json& configuration = object_member(call.message.params, "configuration");
  const bool at_once =
      bool_member(configuration, "returnImmediately", false) || !bool_member(configuration, "blocking", true);
  if (!streams && (at_once || is_terminal(task.state)))
    return call.give(std::move(responder), call.words().sent(call.words().task(task, call.now())));
  if (streams) {
    auto source = std::make_shared<A2aStream>(call.host, call.version, call.message.id, std::move(task));
    return follow(call.host, std::move(source), mark, true, {}, std::move(responder));
  }
  auto source = std::make_shared<A2aWait>(call.host, call.version, call.message.id, task.id, false);
  if (Status opened = source->open(mark, false); !opened.ok())
    return call.fail(std::move(responder), from_problem(call.host.problem_of(opened)));
  serve_document(std::move(responder), *call.host.streams, source);
}

void get_task(const A2aCall& call, net::Responder responder) {
  const auto task = task_of(call, text_member(call.message.params, "id"));
  if (!task) return call.fail(std::move(responder), task.error());
  call.give(std::move(responder), call.words().task(*task, call.now()));
}

void list(const A2aCall& call, net::Responder responder) {
  auto tasks = list_tasks(call.host, call.words(), call.message.params, call.agent_name());
  if (!tasks) return call.fail(std::move(responder), tasks.error());
  call.give(std::move(responder), *std::move(tasks));
}

void cancel_task(const A2aCall& call, net::Responder responder) {
  const auto task = task_of(call, text_member(call.message.params, "id"));
  if (!task) return call.fail(std::move(responder), task.error());
  const auto status = is_terminal(task->state)
                          ? Result<runs::RunStatus>(runs::RunStatus::kCompleted)
                          : call.host.runs->cancel({.run = task->id,
                                                    .by = Host::name_of(call.host.caller(call.request)),
                                                    .reason = "canceled by an A2A client"});
  if (!status) return call.fail(std::move(responder), from_problem(call.host.problem_of(status.error())));
  if (is_closed(*status)) {
    return call.fail(std::move(responder),
                     error_of(kTaskNotCancelable, "the task is over", "TASK_NOT_CANCELABLE"));
  }
  auto source = std::make_shared<A2aWait>(call.host, call.version, call.message.id, task->id, true);
  if (Status opened = source->open({}, false); !opened.ok())
    return call.fail(std::move(responder), from_problem(call.host.problem_of(opened)));
  serve_document(std::move(responder), *call.host.streams, source);
}

void subscribe(const A2aCall& call, net::Responder responder) {
  auto task = task_of(call, text_member(call.message.params, "id"));
  if (!task) return call.fail(std::move(responder), task.error());
  if (is_terminal(task->state)) {
    return call.fail(std::move(responder),
                     error_of(kUnsupported, "the task is over: GetTask gives it", "UNSUPPORTED_OPERATION"));
  }
  follow_task(call, *std::move(task), true, call.request.header("last-event-id"), std::move(responder));
}

// ---- messages

// Which of the questions a message answers.
std::expected<platform::Approval, RpcError> asked_in(const A2aTask& task, const A2aSaid& said) {
  const std::string named = text_member(said.data, "approval");
  if (named.empty() && task.approvals.size() > 1)
    return std::unexpected(invalid("more than one question is open: name one in a data part, as `approval`"));
  for (const platform::Approval& one : task.approvals) {
    if (named.empty() || named == one.id) return one;
  }
  return std::unexpected(invalid(fmt::format("'{}' is no open question of this task", named.substr(0, 200))));
}

// Data of the question's form, or words where the form has one text and nothing else.
std::expected<runs::DecisionRequest, RpcError> answer_of(const protocol::HumanQuestion& question,
                                                         const A2aSaid& said) {
  Json answer = said.data.is_object() ? said.data.value("answer", Json()) : Json();
  const auto fields = question.form.find("properties");
  const bool in_words = said.data.is_null() && fields != question.form.end() && fields->size() == 1 &&
                        fields->begin()->value("type", "") == "string";
  if (in_words) answer = {{fields->begin().key(), said.text}};
  auto out = answer_to(question, answer);
  if (!out)
    return std::unexpected(invalid(
        out.error() + "; send a data part {\"approval\": \"...\", \"answer\": {...}} of its `schema`"));
  return *std::move(out);
}

std::expected<runs::DecisionRequest, RpcError> decision_of(const platform::Approval& approval,
                                                           const A2aSaid& said) {
  if (const auto question = question_of(approval)) return answer_of(*question, said);
  std::string word = text_member(said.data, "decision");
  if (word.empty()) word = ascii_lower(said.text);
  while (!word.empty() && (word.back() == '.' || word.back() == ' ' || word.back() == '\n')) word.pop_back();
  if (word != "approve" && word != "reject") {
    return std::unexpected(invalid(
        "the task waits for a decision: send a data part {\"approval\": \"...\", \"decision\": \"approve\" "
        "or \"reject\"}, or one of these words"));
  }
  runs::DecisionRequest out;
  out.decision = word == "approve" ? protocol::DecisionKind::kApprove : protocol::DecisionKind::kReject;
  out.comment = bounded_text(text_member(said.data, "comment"), kMaxComment);
  return out;
}

// A message to a task that waits for a person decides.
void answer(const A2aCall& call, const std::string& id, const A2aSaid& said, bool streams,
            net::Responder responder) {
  const auto task = task_of(call, id);
  if (!task) return call.fail(std::move(responder), task.error());
  if (task->state != TaskState::kInputRequired) {
    return call.fail(
        std::move(responder),
        error_of(kUnsupported,
                 is_terminal(task->state)
                     ? "the task is over: a message without its id, in its context, begins the next"
                     : "the task is at work: it is spoken to when it asks",
                 "UNSUPPORTED_OPERATION"));
  }
  const auto approval = asked_in(*task, said);
  if (!approval) return call.fail(std::move(responder), approval.error());
  auto decision = decision_of(*approval, said);
  if (!decision) return call.fail(std::move(responder), decision.error());
  const identity::Caller& caller = call.host.caller(call.request);
  if (!may_answer(call.host, caller, *approval)) {
    return call.fail(std::move(responder),
                     error_of(kUnsupported,
                              "this credential may not answer that: a key of the role `approver` may, if it "
                              "is one of those whom a question asks",
                              "PERMISSION_DENIED"));
  }
  decision->approval = approval->id;
  decision->arguments_sha256 = approval->arguments_sha256;
  decision->decided_by = caller.name;
  decision->idempotency_key = text_member(call.message.params["message"], "messageId");
  if (auto problem = decide_all(call.host, {*decision}))
    return call.fail(std::move(responder), from_problem(*problem));
  auto now = task_of(call, id);
  if (!now) return call.fail(std::move(responder), now.error());
  follow_task(call, *std::move(now), streams, {}, std::move(responder));
}

bool says(const Json& object, const char* name) {
  return object.contains(name) && !object[name].is_null();
}

void send(const A2aCall& call, bool streams, net::Responder responder) {
  const Json& message = object_member(call.message.params, "message");
  const std::string id = text_member(message, "messageId");
  if (id.empty() || id.size() > runs::kMaxIdBytes)
    return call.fail(std::move(responder),
                     invalid("`message.messageId` is missing, or longer than 200 bytes"));
  const A2aSaid said = said_in(message);
  // Data is an answer to a question; a message that begins a task is words.
  const std::string asked = text_member(message, "taskId");
  if (!said.understood || (asked.empty() && !said.data.is_null())) {
    return call.fail(
        std::move(responder),
        error_of(kContentType, "`message.parts` are text, or data in answers", "CONTENT_TYPE_NOT_SUPPORTED"));
  }
  const Json& configuration = object_member(call.message.params, "configuration");
  if (says(configuration, "taskPushNotificationConfig") || says(configuration, "pushNotificationConfig"))
    return call.fail(std::move(responder),
                     error_of(kNoPushNotifications, "there are no push notifications here",
                              "PUSH_NOTIFICATION_NOT_SUPPORTED"));
  if (!asked.empty()) return answer(call, asked, said, streams, std::move(responder));
  if (said.text.empty()) return call.fail(std::move(responder), invalid("the message has no text"));
  ChatStart start;
  start.agent = call.agent;
  start.conversation = text_member(message, "contextId");
  start.run = run_id_of("a2a", call.host.caller(call.request), {call.agent, id});
  start.input = said.text;
  const auto run = start_chat(call.host, call.request, start);
  if (!run) return call.fail(std::move(responder), from_problem(run.error()));
  auto task = read_task(call.host, *run);
  if (!task) return call.fail(std::move(responder), from_problem(call.host.problem_of(task.error())));
  follow_task(call, *std::move(task), streams, {}, std::move(responder));
}

void dispatch(const A2aCall& call, Method method, net::Responder responder) {
  if (method == Method::kPush) {
    return call.fail(std::move(responder),
                     error_of(kNoPushNotifications, "there are no push notifications here",
                              "PUSH_NOTIFICATION_NOT_SUPPORTED"));
  }
  if (method == Method::kExtendedCard)
    return call.fail(std::move(responder),
                     error_of(kNoExtendedCard, "there is no other card than the public one",
                              "EXTENDED_AGENT_CARD_NOT_CONFIGURED"));
  if (method == Method::kGet) return get_task(call, std::move(responder));
  if (method == Method::kList) return list(call, std::move(responder));
  if (method == Method::kCancel) return cancel_task(call, std::move(responder));
  if (method == Method::kSubscribe) return subscribe(call, std::move(responder));
  if (call.agent.empty())
    return call.fail(
        std::move(responder),
        invalid("`tenant` is missing: the agent that is meant, or use its own address /a2a/AGENT"));
  send(call, method == Method::kStream, std::move(responder));
}

}  // namespace

void serve_a2a(const Host& host, const net::Request& request, std::string_view agent,
               net::Responder responder) {
  auto body = read_rpc(request);
  if (!body) return responder.reply(rpc_error_response(nullptr, body.error(), 200));
  auto message = rpc_message(*std::move(body));
  if (!message) return responder.reply(rpc_error_response(nullptr, message.error(), 200));
  const auto refuse = [&](const RpcError& error) {
    responder.reply(rpc_error_response(message->id, error, 200));
  };
  if (message->kind != RpcMessage::Kind::kRequest) return refuse({kInvalidRequest, "this is no request"});
  const Asked asked = method_of(message->method);
  const std::string_view version = request.header("a2a-version");
  const bool old = version.empty() || version == "0.3" || version == "0.3.0";
  if (!old && version != "1.0")
    return refuse(error_of(kVersionUnknown,
                           fmt::format("A2A {} is not spoken here: 1.0 and 0.3 are", version.substr(0, 20)),
                           "VERSION_NOT_SUPPORTED"));
  // Who names no version and calls a method of 1.0 means 1.0.
  const bool other = asked.version == A2aVersion::k03 ? !old : !version.empty() && old;
  if (asked.method == Method::kOther || (other && asked.method != Method::kPush))
    return refuse({kMethodNotFound, fmt::format("Method not found: {}", message->method.substr(0, 100))});
  A2aCall call{.host = host,
               .request = request,
               .message = *message,
               .version = asked.version,
               .agent = std::string(agent)};
  if (call.agent.empty()) call.agent = text_member(message->params, "tenant");
  dispatch(call, asked.method, std::move(responder));
}

net::Response agent_card(const Host& host, std::string_view agent) {
  A2aCard card;
  card.closed = host.gate == nullptr || !host.gate->is_open();
  card.version = host.build();
  if (agent.empty()) {
    auto agents = host.store->definitions({}, platform::kMaxPage);
    if (!agents) return host.problem_of(agents.error()).response();
    card.name = "holdfast";
    card.description =
        "Durable agents. Each skill is one; name it as `tenant`, or use its own card at "
        "/a2a/AGENT/.well-known/agent-card.json.";
    card.url = host.page() + "/a2a";
    card.agents = *std::move(agents);
    std::erase_if(card.agents, [](const auto& one) { return protocol::is_flow(one.name); });
  } else {
    auto found = host.store->current_definition(agent);
    if (!found && found.error().code() == Code::kNotFound)
      return net::Problem(404, "agent_not_found", fmt::format("there is no agent '{}'", agent)).response();
    if (!found) return host.problem_of(found.error()).response();
    card.name = found->name;
    card.description = description_of(*found);
    card.version = found->hash.substr(0, 12);
    card.url = fmt::format("{}/a2a/{}", host.page(), found->name);
    card.agents = {*std::move(found)};
  }
  net::Response response;
  response.body = dump_json(card_json(card));
  response.headers.push_back({"Cache-Control", "private, max-age=60"});
  return response;
}

}  // namespace holdfast::interop
