#include "interop/ag_ui.h"

#include <fmt/format.h>

#include "base/iso_time.h"
#include "base/paragraphs.h"
#include "interop/decisions.h"
#include "interop/json_rpc.h"
#include "interop/questions.h"
#include "interop/start.h"
#include "spec/written_order.h"

namespace holdfast::interop {

namespace {

using What = RunEvent::What;

constexpr std::size_t kMaxContexts = 50;
constexpr const char* kVersion = "1.0";

class AgUiStream final : public ProtocolStream {
 public:
  AgUiStream(const Host& host, std::string run, std::string thread, std::string called, std::string agent)
      : ProtocolStream(host, std::move(run)),
        thread_(std::move(thread)),
        called_(std::move(called)),
        agent_(std::move(agent)) {}

 private:
  static std::string event(std::string_view type, Json members) {
    Json out = {{"type", type}};
    for (auto& [name, value] : members.items()) out[name] = std::move(value);
    return dump_json(out);
  }
  std::string ends(Json members) const {
    members["threadId"] = thread_;
    members["runId"] = called_;
    return event("RUN_FINISHED", std::move(members));
  }
  std::string state(std::string_view status) const {
    return event("STATE_SNAPSHOT", {{"snapshot", {{"run", run()}, {"agent", agent_}, {"status", status}}}});
  }
  std::string id_of(const std::string& part) const { return run() + "-" + part; }

  void greet(Messages& out) override {
    out.push_back(
        event("RUN_STARTED", {{"threadId", thread_}, {"runId", called_}, {"protocolVersion", kVersion}}));
    out.push_back(state("running"));
  }

  void fail(const Status& status, Messages& out) override {
    out.push_back(event("RUN_ERROR", {{"message", status.message()}, {"code", "internal"}}));
  }

  void show(const RunEvent& one, const std::string& behind, Messages& out) override {
    const std::string id = id_of(one.id);
    switch (one.what) {
      case What::kTextStart:
        out.push_back(event("TEXT_MESSAGE_START", {{"messageId", id}, {"role", "assistant"}}));
        break;
      case What::kText:
        out.push_back(event("TEXT_MESSAGE_CONTENT", {{"messageId", id}, {"delta", one.text}}));
        break;
      case What::kTextEnd: out.push_back(event("TEXT_MESSAGE_END", {{"messageId", id}})); break;
      case What::kTextDropped:
        out.push_back(event("TEXT_MESSAGE_END", {{"messageId", id}}));
        out.push_back(
            event("CUSTOM", {{"name", "holdfast.message_dropped"}, {"value", {{"messageId", id}}}}));
        break;
      case What::kToolCall:
        out.push_back(event("TOOL_CALL_START", {{"toolCallId", id}, {"toolCallName", one.name}}));
        if (!one.text.empty())
          out.push_back(event("TOOL_CALL_ARGS", {{"toolCallId", id}, {"delta", one.text}}));
        out.push_back(event("TOOL_CALL_END", {{"toolCallId", id}}));
        break;
      case What::kToolResult:
        out.push_back(event(
            "TOOL_CALL_RESULT",
            {{"messageId", id + "-result"}, {"toolCallId", id}, {"content", one.text}, {"role", "tool"}}));
        break;
      case What::kApproval: ask(one, behind, out); break;
      case What::kDecided: out.push_back(state("running")); break;
      case What::kClosed: close(one, out); break;
      case What::kStage: stage(one, out); break;
      case What::kStarted: break;
    }
  }

  void ask(const RunEvent& one, const std::string& behind, Messages& out) {
    const auto approval = pending(one.id);
    if (!approval) return;
    Json interrupt = {
        {"id", question_at(one.id, behind)},
        {"metadata",
         {{"run", run()}, {"approval", one.id}, {"page", fmt::format("{}/runs/{}", host().page(), run())}}}};
    if (const auto question = question_of(*approval)) {
      interrupt["reason"] = "input_required";
      interrupt["message"] = question->text;
      // One that asks for a file is answered on its page alone.
      if (takes_data(*question)) interrupt["responseSchema"] = spec::as_written(question->form);
    } else {
      interrupt["reason"] = "tool_call";
      interrupt["message"] =
          fmt::format("May `{}` be called with {}? {}", one.name, one.text, approval->reason);
      interrupt["toolCallId"] = id_of(one.call);
      interrupt["responseSchema"] = {
          {"type", "object"},
          {"properties", {{"approved", {{"type", "boolean"}}}, {"comment", {{"type", "string"}}}}},
          {"required", Json::array({"approved"})}};
    }
    if (approval->expires_at) interrupt["expiresAt"] = iso_time(*approval->expires_at);
    out.push_back(state("input_required"));
    out.push_back(
        ends({{"outcome", {{"type", "interrupt"}, {"interrupts", Json::array({std::move(interrupt)})}}}}));
    end();
  }

  void close(const RunEvent& one, Messages& out) {
    out.push_back(state(one.name));
    if (one.name == "canceled") {
      out.push_back(ends({{"outcome", {{"type", "cancelled"}}}}));
    } else if (one.is_error) {
      out.push_back(event("RUN_ERROR", {{"message", one.text.empty() ? "the run is " + one.name : one.text},
                                        {"code", one.id.empty() ? one.name : one.id}}));
    } else {
      out.push_back(ends({{"result", one.text}, {"outcome", {{"type", "success"}}}}));
    }
    end();
  }

  static void stage(const RunEvent& one, Messages& out) {
    if (one.name.starts_with("step.")) return;
    out.push_back(
        event("CUSTOM", {{"name", "holdfast." + one.name}, {"value", parse_or_string<Json>(one.text)}}));
  }

  const std::string thread_;
  const std::string called_;  // what the client calls the run: one that goes on has another name there
  const std::string agent_;
};

// ---- the input

// A message's text: a string, or parts of text.
std::expected<std::string, net::Problem> text_of(const Json& message) {
  const auto content = message.find("content");
  if (content != message.end() && content->is_string()) return content->get<std::string>();
  std::string text;
  if (content == message.end() || !content->is_array())
    return std::unexpected(wrong_field("the last message has no `content`"));
  for (const Json& part : *content) {
    if (text_member(part, "type") != "text")
      return std::unexpected(wrong_field("parts of a message are of the type `text` here"));
    add_paragraph(text, text_member(part, "text"));
  }
  return text;
}

// The last thing the user said: the conversation has the rest. What the page tells about itself goes along.
std::expected<std::string, net::Problem> input_of(const Json& input) {
  const auto messages = input.find("messages");
  if (messages == input.end() || !messages->is_array() || messages->empty() ||
      text_member(messages->back(), "role") != "user")
    return std::unexpected(wrong_field("`messages` must end with one of the user's"));
  auto text = text_of(messages->back());
  if (!text) return text;
  const auto context = input.find("context");
  if (context == input.end() || context->is_null()) return text;
  if (!context->is_array() || context->size() > kMaxContexts)
    return std::unexpected(wrong_field(fmt::format("`context` is a list of at most {}", kMaxContexts)));
  for (const Json& one : *context)
    *text += fmt::format("\n\n{}: {}", text_member(one, "description"), text_member(one, "value"));
  return text;
}

std::optional<net::Problem> refused(const Json& input) {
  for (const char* name : {"threadId", "runId"}) {
    if (!runs::is_valid_run_id(text_member(input, name)))
      return wrong_field(fmt::format("`{}` has 1 to 200 letters, digits, and - _ . : @", name));
  }
  // Clients of before 1.0 name none.
  const std::string version =
      input.contains("protocolVersion") ? text_member(input, "protocolVersion") : kVersion;
  if (!version.starts_with("1.")) {
    return net::Problem(400, "unsupported_version", fmt::format("AG-UI {} is not spoken here", version))
        .hint("1.0 is");
  }
  const auto tools = input.find("tools");
  if (tools != input.end() && !tools->empty()) {
    return net::Problem(400, "unsupported_tools",
                        "tools of the page cannot be called by an agent of this server")
        .hint("leave `tools` empty; an agent's own tools stand in its definition");
  }
  const auto props = input.find("forwardedProps");
  if (props == input.end() || props->is_null()) return std::nullopt;
  for (const auto& [name, value] : props->items()) {
    if (!props->is_object() || name != "context" || !value.is_object())
      return wrong_field("`forwardedProps` may have a `context`, an object, and nothing else");
  }
  return std::nullopt;
}

void go_on(const Host& host, const net::Request& request, const Json& input, net::Responder responder) {
  const Json& answers = input["resume"];
  if (!answers.is_array() || answers.size() != 1)
    return responder.reply(
        wrong_field("`resume` must have one answer: one question is open at a time").response());
  const Json& answer = answers.front();
  const std::string status = text_member(answer, "status");
  const Json& payload = object_member(answer, "payload");
  const bool resolved = status == "resolved";
  if (!resolved && status != "cancelled")
    return responder.reply(wrong_field("`status` of an answer is `resolved` or `cancelled`").response());
  const std::string agent(request.param("agent"));
  ChatAnswer said{.given = resolved, .comment = text_member(payload, "comment"), .form = payload};
  if (payload.contains("approved") && payload["approved"].is_boolean())
    said.approved = payload["approved"].get<bool>();
  auto resumed = resume_chat(host, host.caller(request), agent, text_member(answer, "interruptId"), said);
  if (!resumed) return responder.reply(resumed.error().response());
  auto source = std::make_shared<AgUiStream>(host, resumed->run, text_member(input, "threadId"),
                                             text_member(input, "runId"), agent);
  const std::string_view last = request.header("last-event-id");
  const std::string mark(last.empty() ? std::string_view(resumed->mark) : last);
  std::vector<runs::DecisionRequest> decisions;
  // Who gives no answer leaves it to others: the run goes on waiting.
  if (resolved) decisions.push_back(std::move(resumed->decision));
  if (auto problem = decide_all(host, decisions)) return responder.reply(problem->response());
  follow(host, std::move(source), mark, last.empty(), {}, std::move(responder));
}

}  // namespace

void run_ag_ui(const Host& host, const net::Request& request, const Json& input, net::Responder responder) {
  if (auto problem = refused(input)) return responder.reply(problem->response());
  if (input.contains("resume") && !input["resume"].empty())
    return go_on(host, request, input, std::move(responder));
  auto text = input_of(input);
  if (!text) return responder.reply(text.error().response());
  ChatStart start;
  start.agent = request.param("agent");
  start.run = text_member(input, "runId");
  start.conversation = text_member(input, "threadId");
  start.input = *std::move(text);
  const Json& props = object_member(input, "forwardedProps");
  if (props.contains("context")) start.context = props["context"];
  const auto run = start_chat(host, request, start);
  if (!run) return responder.reply(run.error().response());
  auto source = std::make_shared<AgUiStream>(host, *run, start.conversation, *run, start.agent);
  const std::string_view last = request.header("last-event-id");
  follow(host, std::move(source), last, last.empty(), {}, std::move(responder));
}

}  // namespace holdfast::interop
