// Anthropic Messages: POST /messages. System text stands apart, tool results belong to the next user turn,
// and turns alternate. The stream names its blocks: message_start, content_block_*, message_delta,
// message_stop.

#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/json_member.h"
#include "model/provider.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kVersion = "2023-06-01";
// The protocol demands a limit; every model of it takes this one.
constexpr std::int64_t kDefaultMaxTokens = 4096;

const Json& member(const Json& object, const char* name) {
  static const Json kEmpty = Json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

// `input` has to be an object; what the model once sent instead stays visible to it.
Json input_of(const ToolCall& call) {
  Json input = parse_json<Json>(call.arguments.empty() ? "{}" : call.arguments);
  if (input.is_object()) return input;
  return Json{{"invalid_arguments", call.arguments}};
}

void add_blocks(const Message& message, Json& blocks) {
  if (message.role == Role::kTool) {
    Json result = {
        {"type", "tool_result"}, {"tool_use_id", message.tool_call_id}, {"content", message.text()}};
    if (message.is_error) result["is_error"] = true;
    blocks.push_back(std::move(result));
    return;
  }
  for (const Part& part : message.content) {
    if (part.type != "text") {
      blocks.push_back(parse_json<Json>(part.json));
    } else if (!part.text.empty()) {
      blocks.push_back({{"type", "text"}, {"text", part.text}});
    }
  }
  for (const ToolCall& call : message.tool_calls) {
    blocks.push_back({{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", input_of(call)}});
  }
}

// Turns: what follows each other from the same side is one turn.
Json turns_of(const Request& request, std::string& system) {
  Json turns = Json::array();
  for (const Message& message : request.messages) {
    if (message.role == Role::kSystem) {
      if (!system.empty()) system += "\n\n";
      system += message.text();
      continue;
    }
    Json blocks = Json::array();
    add_blocks(message, blocks);
    if (blocks.empty()) continue;
    const char* role = message.role == Role::kAssistant ? "assistant" : "user";
    if (turns.empty() || turns.back()["role"] != role) {
      turns.push_back({{"role", role}, {"content", std::move(blocks)}});
    } else {
      Json& content = turns.back()["content"];
      content.insert(content.end(), blocks.begin(), blocks.end());
    }
  }
  return turns;
}

class MessagesDecoder : public Decoder {
 public:
  void event(const net::SseEvent& event, OnDelta& on_delta) override {
    if (error() || stopped_ || event.event == "ping") return;
    const Json json = parse_json<Json>(event.data, kMaxForeignJsonDepth);
    if (!json.is_object()) {
      fail_with(ErrorKind::kStreamCut, "the model sent an event that is not JSON");
      return;
    }
    const std::string type = string_member(json, "type");
    if (type == "message_start") {
      const Json& message = member(json, "message");
      completion_.model = string_member(message, "model");
      on_usage(member(message, "usage"));
    } else if (type == "content_block_start") {
      on_block(integer_member(json, "index").value_or(0), member(json, "content_block"), on_delta);
    } else if (type == "content_block_delta") {
      on_block_delta(integer_member(json, "index").value_or(0), member(json, "delta"), on_delta);
    } else if (type == "content_block_stop") {
      // A call without arguments sends no fragment.
      const auto call = calls_.find(integer_member(json, "index").value_or(0));
      if (call != calls_.end() && completion_.message.tool_calls[call->second].arguments.empty())
        add_arguments(call->second, "{}", on_delta);
    } else if (type == "message_delta") {
      on_usage(member(json, "usage"));
      on_stop_reason(string_member(member(json, "delta"), "stop_reason"));
    } else if (type == "message_stop") {
      stopped_ = true;
    } else if (type == "error") {
      const Json& failure = member(json, "error");
      fail_with(error_of_code(0, {}, string_member(failure, "type"), string_member(failure, "message")));
    }
  }

  bool complete() const override { return stopped_; }

 private:
  void on_block(std::int64_t index, const Json& block, OnDelta& on_delta) {
    const std::string type = string_member(block, "type");
    if (type == "text") {
      add_text(string_member(block, "text"), on_delta);
    } else if (type == "tool_use") {
      const std::size_t position =
          begin_call(string_member(block, "id"), string_member(block, "name"), on_delta);
      calls_[index] = position;
      const Json& input = member(block, "input");
      if (!input.empty()) add_arguments(position, dump_json(input), on_delta);
    }
  }

  void on_block_delta(std::int64_t index, const Json& delta, OnDelta& on_delta) {
    const std::string type = string_member(delta, "type");
    if (type == "text_delta") {
      add_text(string_member(delta, "text"), on_delta);
    } else if (type == "input_json_delta") {
      const auto call = calls_.find(index);
      if (call != calls_.end()) add_arguments(call->second, string_member(delta, "partial_json"), on_delta);
    }
  }

  // Counts are cumulative, and each event need not repeat all of them.
  void on_usage(const Json& usage) {
    if (const auto n = integer_member(usage, "input_tokens")) fresh_ = *n;
    if (const auto n = integer_member(usage, "cache_read_input_tokens")) cache_read_ = *n;
    if (const auto n = integer_member(usage, "cache_creation_input_tokens")) cache_created_ = *n;
    if (const auto n = integer_member(usage, "output_tokens")) completion_.usage.output_tokens = *n;
    completion_.usage.input_tokens = fresh_ + cache_read_ + cache_created_;
    completion_.usage.cached_input_tokens = cache_read_;
  }

  void on_stop_reason(const std::string& reason) {
    if (reason == "refusal") {
      fail_with(ErrorKind::kContentFilter, "the model refused to answer: change the prompt", reason);
    } else if (reason == "tool_use") {
      completion_.stop_reason = StopReason::kToolCalls;
    } else if (reason == "max_tokens" || reason == "model_context_window_exceeded") {
      completion_.stop_reason = StopReason::kMaxTokens;
    } else if (reason == "stop_sequence") {
      completion_.stop_reason = StopReason::kStopSequence;
    } else if (!reason.empty()) {
      completion_.stop_reason = reason == "end_turn" ? StopReason::kEnd : StopReason::kOther;
    }
  }

  std::map<std::int64_t, std::size_t> calls_;  // index of the block -> position among the tool calls
  std::int64_t fresh_ = 0;
  std::int64_t cache_read_ = 0;
  std::int64_t cache_created_ = 0;
  bool stopped_ = false;
};

net::Headers headers(const std::string& api_key) {
  net::Headers out = {{"anthropic-version", std::string(kVersion)}};
  if (!api_key.empty()) out.emplace_back("x-api-key", api_key);
  return out;
}

Result<std::string> encode(const Request& request, std::string_view) {
  Json out;
  out["model"] = request.model;
  out["max_tokens"] = request.max_tokens.value_or(kDefaultMaxTokens);
  std::string system;
  Json turns = turns_of(request, system);
  if (!system.empty()) out["system"] = system;
  out["messages"] = std::move(turns);
  if (!request.tools.empty()) {
    Json& tools = out["tools"] = Json::array();
    for (const ToolDefinition& tool : request.tools) {
      Result<Json> schema = schema_of(tool);
      if (!schema) return fail(schema.error());
      tools.push_back(
          {{"name", tool.name}, {"description", tool.description}, {"input_schema", std::move(*schema)}});
    }
  }
  if (request.temperature) out["temperature"] = *request.temperature;
  if (!request.stop.empty()) out["stop_sequences"] = request.stop;
  out["stream"] = true;
  return dump_json(out);
}

std::unique_ptr<Decoder> decoder() {
  return std::make_unique<MessagesDecoder>();
}

}  // namespace

constinit const Provider kAnthropic = whole({.name = "anthropic",
                                             .default_url = "https://api.anthropic.com/v1",
                                             .path = "/messages",
                                             .headers = headers,
                                             .encode = encode,
                                             .decoder = decoder});

}  // namespace holdfast::model
