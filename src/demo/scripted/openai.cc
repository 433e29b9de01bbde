// OpenAI Chat Completions, from the server's side.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/ids.h"
#include "base/json.h"
#include "base/json_member.h"
#include "net/sse_writer.h"
#include "scripted/wire.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kCreated = 1'700'000'000;  // a reply does not depend on when it is asked for

std::string text_of(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string out;
  if (!content.is_array()) return out;
  for (const Json& part : content) {
    if (part.is_object() && part.contains("text") && part["text"].is_string())
      out += part["text"].get<std::string>();
  }
  return out;
}

// What the provider demands of tool calls and their results: each call answered, before anything else is
// said.
class CallBook {
 public:
  Status read(const Json& message, const std::string& role) {
    if (role == "tool") {
      const std::string id = string_member(message, "tool_call_id");
      if (open_.erase(id) == 0) {
        return Status(
            Code::kInvalidArgument,
            "messages with role 'tool' must be a response to a preceding message with 'tool_calls' (" + id +
                ")");
      }
      return {};
    }
    if (Status status = settled(); !status.ok()) return status;
    const auto calls = message.find("tool_calls");
    if (role != "assistant" || calls == message.end() || calls->is_null()) return {};
    if (!calls->is_array() || calls->empty())
      return Status(Code::kInvalidArgument, "tool_calls must be a list that is not empty");
    for (const Json& call : *calls) {
      const auto function = call.find("function");
      if (string_member(call, "type") != "function" || function == call.end() ||
          string_member(*function, "name").empty() || !function->contains("arguments") ||
          !(*function)["arguments"].is_string()) {
        return Status(Code::kInvalidArgument,
                      "a tool call needs type function, a name and arguments as a string");
      }
      open_.insert(string_member(call, "id"));
    }
    return {};
  }
  Status settled() const {
    if (open_.empty()) return {};
    return Status(
        Code::kInvalidArgument,
        "an assistant message with 'tool_calls' must be followed by tool messages responding to each "
        "'tool_call_id'; missing: " +
            *open_.begin());
  }

 private:
  std::set<std::string> open_;
};

Status read_message(const Json& message, ScriptedRequest& out, CallBook& book) {
  if (!message.is_object()) return Status(Code::kInvalidArgument, "a message must be an object");
  const std::string role = string_member(message, "role");
  const std::string text = message.contains("content") ? text_of(message["content"]) : std::string();
  if (role == "system" || role == "developer") {
    if (!out.system.empty()) out.system += "\n\n";
    out.system += text;
  } else if (role == "assistant") {
    ++out.turn;
    out.news.clear();
  } else if (role != "user" && role != "tool") {
    return Status(Code::kInvalidArgument,
                  "'" + role + "' is not one of system, developer, user, assistant and tool");
  }
  if (role != "system" && role != "developer") out.last = text;
  if (role == "user" || role == "tool") out.news += text + '\n';
  out.characters += text.size();
  return book.read(message, role);
}

Status read_tools(const Json& body, ScriptedRequest& out) {
  const auto tools = body.find("tools");
  if (tools == body.end()) return {};
  if (!tools->is_array() || tools->empty())
    return Status(Code::kInvalidArgument, "tools must be a list that is not empty");
  for (const Json& tool : *tools) {
    const auto function = tool.find("function");
    const std::string name =
        function != tool.end() && function->is_object() ? string_member(*function, "name") : std::string();
    if (name.empty()) return Status(Code::kInvalidArgument, "a tool needs a function with a name");
    out.tools.push_back(name);
  }
  return {};
}

const char* finish_reason(ScriptedStop stop) {
  switch (stop) {
    case ScriptedStop::kEnd: return "stop";
    case ScriptedStop::kToolCalls: return "tool_calls";
    case ScriptedStop::kMaxTokens: return "length";
    case ScriptedStop::kContentFilter: return "content_filter";
  }
  return "stop";
}

Json usage_of(const ScriptedRequest& request, const ScriptedReply& reply) {
  const std::int64_t input = input_tokens_of(request, reply);
  const std::int64_t output = output_tokens_of(reply);
  return {{"prompt_tokens", input},
          {"completion_tokens", output},
          {"total_tokens", input + output},
          {"prompt_tokens_details", {{"cached_tokens", reply.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", reply.reasoning_tokens}}}};
}

Json error_of(int status, const ScriptedFault& fault) {
  std::string type = fault.type;
  std::string code = fault.code;
  if (type.empty()) {
    type = status == 429   ? "requests"
           : status == 401 ? "invalid_request_error"
           : status >= 500 ? "server_error"
                           : "invalid_request_error";
  }
  if (code.empty() && fault.type.empty())
    code = status == 429 ? "rate_limit_exceeded" : status == 401 ? "invalid_api_key" : "";
  Json out = {{"message", fault.message.empty() ? "scripted failure" : fault.message},
              {"type", type},
              {"param", nullptr},
              {"code", nullptr}};
  if (!code.empty()) out["code"] = code;
  return out;
}

class OpenAi : public ScriptedWire {
 public:
  bool takes(std::string_view path) const override { return path == "/v1/chat/completions"; }

  Result<ScriptedRequest> read(std::string_view, std::string_view text) const override {
    const Json body = parse_json<Json>(text);
    if (!body.is_object())
      return fail(Code::kInvalidArgument, "we could not parse the JSON body of your request");
    ScriptedRequest out;
    out.api = "openai";
    out.model = string_member(body, "model");
    if (out.model.empty()) return fail(Code::kInvalidArgument, "you must provide a model parameter");
    const auto messages = body.find("messages");
    if (messages == body.end() || !messages->is_array() || messages->empty()) {
      return fail(Code::kInvalidArgument, "messages must be a list that is not empty");
    }
    CallBook book;
    for (const Json& message : *messages) {
      if (Status status = read_message(message, out, book); !status.ok()) return fail(status);
    }
    if (Status status = book.settled(); !status.ok()) return fail(status);
    if (Status status = read_tools(body, out); !status.ok()) return fail(status);
    out.stream = body.contains("stream") && body["stream"] == true;
    const auto options = body.find("stream_options");
    out.include_usage = options != body.end() && options->is_object() && options->contains("include_usage") &&
                        (*options)["include_usage"] == true;
    out.hash = stable_hash(dump_json(*messages), stable_hash(out.model));
    return out;
  }

  std::string whole(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    Json message = {{"role", "assistant"}, {"content", reply.text}, {"refusal", nullptr}};
    if (reply.text.empty() && !reply.tool_calls.empty()) message["content"] = nullptr;
    if (!reply.reasoning.empty()) message["reasoning_content"] = reply.reasoning;
    for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
      const ScriptedToolCall& call = reply.tool_calls[i];
      message["tool_calls"].push_back({{"id", call_id(request, call, i, "call_")},
                                       {"type", "function"},
                                       {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    return dump_json(Json{{"id", "chatcmpl-" + stable_id(request)},
                          {"object", "chat.completion"},
                          {"created", kCreated},
                          {"model", request.model},
                          {"choices", Json::array({{{"index", 0},
                                                    {"message", message},
                                                    {"logprobs", nullptr},
                                                    {"finish_reason", finish_reason(reply.stop)}}})},
                          {"usage", usage_of(request, reply)}});
  }

  std::vector<std::string> frames(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    std::vector<std::string> out;
    const auto add = [&](Json delta, Json finish) {
      out.push_back(frame(request,
                          Json::array({{{"index", 0},
                                        {"delta", std::move(delta)},
                                        {"logprobs", nullptr},
                                        {"finish_reason", std::move(finish)}}}),
                          nullptr));
    };
    add({{"role", "assistant"},
         {"content", reply.tool_calls.empty() || !reply.text.empty() ? Json("") : Json(nullptr)}},
        nullptr);
    // As DeepSeek, vLLM and others say it.
    for (const std::string& piece : pieces_of(reply.reasoning, reply.chunk))
      add({{"reasoning_content", piece}}, nullptr);
    for (const std::string& piece : pieces_of(reply.text, reply.chunk)) add({{"content", piece}}, nullptr);
    for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
      const ScriptedToolCall& call = reply.tool_calls[i];
      add({{"tool_calls", Json::array({{{"index", i},
                                        {"id", call_id(request, call, i, "call_")},
                                        {"type", "function"},
                                        {"function", {{"name", call.name}, {"arguments", ""}}}}})}},
          nullptr);
      for (const std::string& piece : pieces_of(call.arguments, reply.chunk > 0 ? reply.chunk : 8)) {
        add({{"tool_calls", Json::array({{{"index", i}, {"function", {{"arguments", piece}}}}})}}, nullptr);
      }
    }
    add(Json::object(), finish_reason(reply.stop));
    if (request.include_usage) out.push_back(frame(request, Json::array(), usage_of(request, reply)));
    out.push_back(net::sse_event({}, "[DONE]"));
    return out;
  }

  std::string error_body(int status, const ScriptedFault& fault) const override {
    return openai_error_body(status, fault);
  }
  std::string error_frame(const ScriptedFault& fault) const override {
    return net::sse_event({}, dump_json(Json{{"error", error_of(500, fault)}}));
  }
  std::string_view request_id_header() const override { return "x-request-id"; }

 private:
  static std::string frame(const ScriptedRequest& request, Json choices, Json usage) {
    Json out = {{"id", "chatcmpl-" + stable_id(request)},
                {"object", "chat.completion.chunk"},
                {"created", kCreated},
                {"model", request.model},
                {"choices", std::move(choices)}};
    if (request.include_usage) out["usage"] = std::move(usage);
    return net::sse_event({}, dump_json(out));
  }
};

}  // namespace

std::string openai_error_body(int status, const ScriptedFault& fault) {
  return dump_json(Json{{"error", error_of(status, fault)}});
}

std::unique_ptr<ScriptedWire> scripted_openai() {
  return std::make_unique<OpenAi>();
}

}  // namespace holdfast::model
