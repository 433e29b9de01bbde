// Anthropic Messages, from the server's side.

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

// Text of a string or of blocks, tool results included.
std::string text_of(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string out;
  if (!content.is_array()) return out;
  for (const Json& block : content) {
    if (!block.is_object()) continue;
    const std::string type = string_member(block, "type");
    if (type == "text") out += string_member(block, "text");
    if (type == "tool_result" && block.contains("content")) out += text_of(block["content"]);
  }
  return out;
}

std::set<std::string> ids_in(const Json& content, const char* type, const char* name) {
  std::set<std::string> out;
  if (!content.is_array()) return out;
  for (const Json& block : content) {
    if (block.is_object() && string_member(block, "type") == type) out.insert(string_member(block, name));
  }
  return out;
}

// Every tool_use is answered by a tool_result in the next message, and no result comes from nowhere.
Status check_results(const std::set<std::string>& open, const Json& content) {
  const std::set<std::string> results = ids_in(content, "tool_result", "tool_use_id");
  for (const std::string& id : open) {
    if (!results.contains(id)) {
      return Status(Code::kInvalidArgument,
                    "`tool_use` ids were found without `tool_result` blocks immediately after: " + id);
    }
  }
  for (const std::string& id : results) {
    if (!open.contains(id)) {
      return Status(Code::kInvalidArgument, "unexpected `tool_use_id` found in `tool_result` blocks: " + id);
    }
  }
  return {};
}

Status read_messages(const Json& messages, ScriptedRequest& out) {
  std::set<std::string> open;
  for (const Json& message : messages) {
    if (!message.is_object() || !message.contains("content"))
      return Status(Code::kInvalidArgument, "messages: a message needs role and content");
    const Json& content = message["content"];
    const std::string role = string_member(message, "role");
    if (role == "assistant") {
      if (!open.empty()) return check_results(open, Json::array());
      ++out.turn;
      out.news.clear();
      open = ids_in(content, "tool_use", "id");
      for (const Json& block : content.is_array() ? content : Json::array()) {
        if (string_member(block, "type") == "tool_use" &&
            (!block.contains("input") || !block["input"].is_object())) {
          return Status(Code::kInvalidArgument, "messages: tool_use.input must be an object");
        }
        if (string_member(block, "type") == "thinking" &&
            !string_member(block, "signature").starts_with(kCipherBegin)) {
          return Status(Code::kInvalidArgument, "messages: invalid `signature` in `thinking` block");
        }
      }
    } else if (role == "user") {
      if (Status status = check_results(open, content); !status.ok()) return status;
      open.clear();
    } else {
      return Status(Code::kInvalidArgument, "messages: role must be user or assistant, not '" + role + "'");
    }
    out.last = text_of(content);
    if (role == "user") out.news += out.last + '\n';
    out.characters += out.last.size();
    if (out.last.empty() && content.is_string())
      return Status(Code::kInvalidArgument, "messages: text content must not be empty");
  }
  return check_results(open, Json::array());
}

const char* stop_reason(ScriptedStop stop) {
  switch (stop) {
    case ScriptedStop::kEnd: return "end_turn";
    case ScriptedStop::kToolCalls: return "tool_use";
    case ScriptedStop::kMaxTokens: return "max_tokens";
    case ScriptedStop::kContentFilter: return "refusal";
  }
  return "end_turn";
}

Json input_usage(const ScriptedRequest& request, const ScriptedReply& reply, std::int64_t output) {
  const std::int64_t input = input_tokens_of(request, reply);
  return {{"input_tokens", std::max<std::int64_t>(input - reply.cached_tokens, 0)},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", reply.cached_tokens},
          {"output_tokens", output}};
}

class Anthropic : public ScriptedWire {
 public:
  bool takes(std::string_view path) const override { return path == "/v1/messages"; }

  Result<ScriptedRequest> read(std::string_view, std::string_view text) const override {
    const Json body = parse_json<Json>(text);
    if (!body.is_object()) return fail(Code::kInvalidArgument, "the request body is not valid JSON");
    ScriptedRequest out;
    out.api = "anthropic";
    out.model = string_member(body, "model");
    if (out.model.empty()) return fail(Code::kInvalidArgument, "model: Field required");
    if (!body.contains("max_tokens") || !body["max_tokens"].is_number_integer() || body["max_tokens"] < 1) {
      return fail(Code::kInvalidArgument, "max_tokens: Field required");
    }
    const auto messages = body.find("messages");
    if (messages == body.end() || !messages->is_array() || messages->empty()) {
      return fail(Code::kInvalidArgument, "messages: at least one message is required");
    }
    if (Status status = read_messages(*messages, out); !status.ok()) return fail(status);
    if (const auto system = body.find("system"); system != body.end()) out.system = text_of(*system);
    out.characters += out.system.size();
    if (const auto tools = body.find("tools"); tools != body.end() && tools->is_array()) {
      for (const Json& tool : *tools) {
        if (!tool.is_object() || string_member(tool, "name").empty() || !tool.contains("input_schema") ||
            !tool["input_schema"].is_object()) {
          return fail(Code::kInvalidArgument, "tools: a tool needs a name and an input_schema");
        }
        out.tools.push_back(string_member(tool, "name"));
      }
    }
    out.stream = body.contains("stream") && body["stream"] == true;
    out.hash = stable_hash(dump_json(*messages), stable_hash(out.system, stable_hash(out.model)));
    return out;
  }

  std::string whole(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    Json content = Json::array();
    if (!reply.reasoning.empty()) {
      content.push_back(
          {{"type", "thinking"}, {"thinking", reply.reasoning}, {"signature", cipher_of(request)}});
    }
    if (!reply.text.empty()) content.push_back({{"type", "text"}, {"text", reply.text}});
    for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
      const ScriptedToolCall& call = reply.tool_calls[i];
      Json input = parse_json<Json>(call.arguments);
      content.push_back({{"type", "tool_use"},
                         {"id", call_id(request, call, i, "toolu_")},
                         {"name", call.name},
                         {"input", input.is_object() ? std::move(input) : Json::object()}});
    }
    Json message = message_of(request, reply, output_tokens_of(reply));
    message["content"] = std::move(content);
    message["stop_reason"] = stop_reason(reply.stop);
    return dump_json(message);
  }

  std::vector<std::string> frames(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    std::vector<std::string> out;
    out.push_back(frame({{"type", "message_start"}, {"message", message_of(request, reply, 1)}}));
    std::size_t index = 0;
    if (!reply.reasoning.empty()) {
      add_block(out, index, {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}},
                pieces_of(reply.reasoning, reply.chunk), "thinking_delta", "thinking");
      // Within its block, behind what was thought.
      const Json signature = {{"type", "signature_delta"}, {"signature", cipher_of(request)}};
      out.insert(out.end() - 1,
                 frame({{"type", "content_block_delta"}, {"index", index++}, {"delta", signature}}));
    }
    if (!reply.text.empty()) {
      const auto pieces = pieces_of(reply.text, reply.chunk);
      add_block(out, index++, {{"type", "text"}, {"text", ""}}, pieces, "text_delta", "text");
    }
    out.push_back(frame({{"type", "ping"}}));
    for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
      const ScriptedToolCall& call = reply.tool_calls[i];
      const Json block = {{"type", "tool_use"},
                          {"id", call_id(request, call, i, "toolu_")},
                          {"name", call.name},
                          {"input", Json::object()}};
      std::vector<std::string> pieces = call.arguments == "{}"
                                            ? std::vector<std::string>()
                                            : pieces_of(call.arguments, reply.chunk > 0 ? reply.chunk : 8);
      pieces.insert(pieces.begin(), "");  // the provider starts with an empty fragment
      add_block(out, index++, block, pieces, "input_json_delta", "partial_json");
    }
    out.push_back(frame({{"type", "message_delta"},
                         {"delta", {{"stop_reason", stop_reason(reply.stop)}, {"stop_sequence", nullptr}}},
                         {"usage", {{"output_tokens", output_tokens_of(reply)}}}}));
    out.push_back(frame({{"type", "message_stop"}}));
    return out;
  }

  std::string error_body(int status, const ScriptedFault& fault) const override {
    return dump_json(error_of(status, fault));
  }
  std::string error_frame(const ScriptedFault& fault) const override {
    ScriptedFault named = fault;
    if (named.type.empty()) named.type = "overloaded_error";
    return frame(error_of(529, named));
  }
  std::string_view request_id_header() const override { return "request-id"; }
  std::string_view demanded_header() const override { return "anthropic-version"; }

 private:
  static std::string frame(const Json& json) {
    return net::sse_event(json["type"].get<std::string>(), dump_json(json));
  }

  static void add_block(std::vector<std::string>& out, std::size_t index, const Json& block,
                        const std::vector<std::string>& pieces, const char* delta_type, const char* member) {
    out.push_back(frame({{"type", "content_block_start"}, {"index", index}, {"content_block", block}}));
    for (const std::string& piece : pieces) {
      out.push_back(frame({{"type", "content_block_delta"},
                           {"index", index},
                           {"delta", {{"type", delta_type}, {member, piece}}}}));
    }
    out.push_back(frame({{"type", "content_block_stop"}, {"index", index}}));
  }

  static Json message_of(const ScriptedRequest& request, const ScriptedReply& reply, std::int64_t output) {
    return {{"id", "msg_" + stable_id(request)},
            {"type", "message"},
            {"role", "assistant"},
            {"model", request.model},
            {"content", Json::array()},
            {"stop_reason", nullptr},
            {"stop_sequence", nullptr},
            {"usage", input_usage(request, reply, output)}};
  }

  static Json error_of(int status, const ScriptedFault& fault) {
    std::string type = fault.type.empty() ? fault.code : fault.type;  // this format has no codes
    if (type.empty()) {
      switch (status) {
        case 401: type = "authentication_error"; break;
        case 403: type = "permission_error"; break;
        case 404: type = "not_found_error"; break;
        case 413: type = "request_too_large"; break;
        case 429: type = "rate_limit_error"; break;
        case 529: type = "overloaded_error"; break;
        default: type = status >= 500 ? "api_error" : "invalid_request_error";
      }
    }
    return {
        {"type", "error"},
        {"error", {{"type", type}, {"message", fault.message.empty() ? "scripted failure" : fault.message}}}};
  }
};

}  // namespace

std::unique_ptr<ScriptedWire> scripted_anthropic() {
  return std::make_unique<Anthropic>();
}

}  // namespace holdfast::model
