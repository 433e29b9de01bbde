#include "interop/ui_stream.h"

#include <fmt/format.h>

#include "base/paragraphs.h"
#include "interop/decisions.h"
#include "interop/json_rpc.h"
#include "interop/start.h"

namespace holdfast::interop {

namespace {

using What = RunEvent::What;

net::Response head() {
  net::Response out;
  out.headers.push_back({"x-vercel-ai-ui-message-stream", "v1"});
  return out;
}

class UiStream final : public ProtocolStream {
 public:
  UiStream(const Host& host, std::string run, std::string message)
      : ProtocolStream(host, std::move(run)), message_(std::move(message)) {}

 private:
  static std::string chunk(std::string_view type, Json members = Json::object()) {
    Json out = {{"type", type}};
    for (auto& [name, value] : members.items()) out[name] = std::move(value);
    return dump_json(out);
  }
  std::string call_of(const std::string& step) const { return run() + "-" + step; }

  std::string last_words() const override { return "data: [DONE]\n\n"; }

  void greet(Messages& out) override {
    out.push_back(chunk("start", {{"messageId", message_}, {"messageMetadata", {{"run", run()}}}}));
    out.push_back(chunk("start-step"));
  }

  void fail(const Status& status, Messages& out) override {
    out.push_back(chunk("error", {{"errorText", status.message()}}));
  }

  void finish(std::string_view reason, Messages& out) {
    out.push_back(chunk("finish-step"));
    out.push_back(chunk("finish", {{"finishReason", reason}}));
    end();
  }

  void show(const RunEvent& one, const std::string& behind, Messages& out) override {
    switch (one.what) {
      case What::kTextStart: out.push_back(chunk("text-start", {{"id", one.id}})); break;
      case What::kText: out.push_back(chunk("text-delta", {{"id", one.id}, {"delta", one.text}})); break;
      case What::kTextEnd: out.push_back(chunk("text-end", {{"id", one.id}})); break;
      case What::kTextDropped: out.push_back(chunk("reset-step")); break;  // it has this one text alone
      case What::kToolCall:
        out.push_back(chunk("tool-input-available", {{"toolCallId", call_of(one.id)},
                                                     {"toolName", one.name},
                                                     {"input", parse_or_string<Json>(one.text)},
                                                     {"providerExecuted", true},
                                                     {"dynamic", true}}));
        break;
      case What::kToolResult: answered(one, out); break;
      case What::kApproval: {
        const auto approval = pending(one.id);
        if (!approval) break;
        Json members = {{"approvalId", question_at(one.id, behind)}, {"toolCallId", call_of(one.call)}};
        if (!approval->reason.empty()) members["reason"] = approval->reason;
        out.push_back(chunk("tool-approval-request", std::move(members)));
        finish("tool-calls", out);
        break;
      }
      case What::kClosed: close(one, out); break;
      case What::kStage: stage(one, out); break;
      case What::kStarted:
      case What::kDecided: break;
    }
  }

  void answered(const RunEvent& one, Messages& out) const {
    Json members = {{"toolCallId", call_of(one.id)}, {"providerExecuted", true}, {"dynamic", true}};
    if (one.is_error) {
      members["errorText"] = one.text;
    } else {
      members["output"] = parse_or_string<Json>(one.text);
    }
    out.push_back(chunk(one.is_error ? "tool-output-error" : "tool-output-available", std::move(members)));
  }

  void close(const RunEvent& one, Messages& out) {
    if (!one.is_error) return finish("stop", out);
    if (one.name == "canceled") {
      out.push_back(chunk("abort", {{"reason", one.text}}));
    } else {
      out.push_back(chunk("error", {{"errorText", one.text.empty() ? "the run is " + one.name : one.text}}));
    }
    end();
  }

  // A model's answer is a step: one that is asked for again takes back what its step had.
  static void stage(const RunEvent& one, Messages& out) {
    const Json data = parse_json<Json>(one.text);
    if (one.name == "step.started") {
      if (!data.is_object() || data.value("attempt", 1) != 1 || data.value("iteration", 1) == 1) return;
      out.push_back(chunk("finish-step"));
      out.push_back(chunk("start-step"));
    } else if (one.name.starts_with("run.")) {
      out.push_back(chunk("data-holdfast", {{"data", {{"event", one.name}}}, {"transient", true}}));
    }
  }

  const std::string message_;
};

// ---- the messages

std::expected<std::string, net::Problem> text_of(const Json& message) {
  const auto parts = message.find("parts");
  if (parts == message.end() || !parts->is_array())
    return std::unexpected(wrong_field("the last message has no `parts`"));
  std::string text;
  for (const Json& part : *parts) {
    if (text_member(part, "type") != "text")
      return std::unexpected(wrong_field("parts of a user's message are of the type `text` here"));
    add_paragraph(text, text_member(part, "text"));
  }
  return text;
}

void begin(const Host& host, const net::Request& request, const Json& body, net::Responder responder) {
  const Json& message = body["messages"].back();
  auto text = text_of(message);
  if (!text) return responder.reply(text.error().response());
  const std::string id = text_member(message, "id");
  if (id.empty() || id.size() > runs::kMaxIdBytes)
    return responder.reply(
        wrong_field("the last message has no `id`, or one of more than 200 bytes").response());
  ChatStart start;
  start.agent = request.param("agent");
  start.conversation = text_member(body, "id");
  start.run = run_id_of("ui", host.caller(request), {start.agent, start.conversation, id});
  start.input = *std::move(text);
  if (body.contains("context") && !body["context"].is_object())
    return responder.reply(wrong_field("`context` must be an object").response());
  if (body.contains("context")) start.context = body["context"];
  const auto run = start_chat(host, request, start);
  if (!run) return responder.reply(run.error().response());
  follow(host, std::make_shared<UiStream>(host, *run, "msg-" + *run), request.header("last-event-id"),
         request.header("last-event-id").empty(), head(), std::move(responder));
}

// The newest answer in the assistant's message; none: there is none.
const Json* answer_in(const Json& message) {
  const auto parts = message.find("parts");
  if (parts == message.end() || !parts->is_array()) return nullptr;
  for (auto part = parts->rbegin(); part != parts->rend(); ++part) {
    if (text_member(*part, "state") == "approval-responded") return &object_member(*part, "approval");
  }
  return nullptr;
}

void go_on(const Host& host, const net::Request& request, const Json& message, net::Responder responder) {
  const Json* answer = answer_in(message);
  if (answer == nullptr || !answer->contains("approved") || !(*answer)["approved"].is_boolean()) {
    return responder.reply(
        wrong_field(
            "`messages` must end with one of the user's, or with the answer to a request for approval")
            .response());
  }
  auto resumed =
      resume_chat(host, host.caller(request), request.param("agent"), text_member(*answer, "id"),
                  {.approved = (*answer)["approved"].get<bool>(), .comment = text_member(*answer, "reason")});
  if (!resumed) return responder.reply(resumed.error().response());
  std::string id = text_member(message, "id");
  if (id.empty()) id = "msg-" + resumed->run;
  auto source = std::make_shared<UiStream>(host, resumed->run, std::move(id));
  const std::string_view last = request.header("last-event-id");
  const std::string mark(last.empty() ? std::string_view(resumed->mark) : last);
  std::vector<runs::DecisionRequest> decisions;
  decisions.push_back(std::move(resumed->decision));
  if (auto problem = decide_all(host, decisions)) return responder.reply(problem->response());
  follow(host, std::move(source), mark, last.empty(), head(), std::move(responder));
}

}  // namespace

void chat_ui_stream(const Host& host, const net::Request& request, const Json& body,
                    net::Responder responder) {
  if (!runs::is_valid_run_id(text_member(body, "id")))
    return responder.reply(
        wrong_field("`id` of a chat has 1 to 200 letters, digits, and - _ . : @").response());
  const std::string trigger = text_member(body, "trigger");
  if (!trigger.empty() && trigger != "submit-message") {
    return responder.reply(
        net::Problem(400, "unsupported_trigger",
                     "what was said is not said again differently: a conversation only grows")
            .hint("send another message")
            .response());
  }
  if (!body.contains("messages") || !body["messages"].is_array() || body["messages"].empty())
    return responder.reply(wrong_field("`messages` must be a list with at least one message").response());
  const Json& last = body["messages"].back();
  if (text_member(last, "role") == "assistant") return go_on(host, request, last, std::move(responder));
  if (text_member(last, "role") == "user") return begin(host, request, body, std::move(responder));
  responder.reply(wrong_field("the last message is of the `role` user or assistant").response());
}

void resume_ui_stream(const Host& host, const net::Request& request, net::Responder responder) {
  net::Response nothing;
  nothing.status = 204;
  nothing.content_type.clear();
  const auto turns = host.runs->turns(std::string(request.param("chat")), "", 1);
  if (!turns || turns->empty()) return responder.reply(std::move(nothing));
  const std::string& run = turns->front().run;
  const auto details = host.runs->view(run);
  if (!details || details->summary.run.agent != request.param("agent") || end_of(*details))
    return responder.reply(std::move(nothing));
  const std::string_view last = request.header("last-event-id");
  follow(host, std::make_shared<UiStream>(host, run, "msg-" + run), last, last.empty(), head(),
         std::move(responder));
}

}  // namespace holdfast::interop
