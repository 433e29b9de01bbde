// Anthropic Messages: POST /messages. System text stands apart, tool results belong to the next user turn,
// and turns alternate. The stream names its blocks: message_start, content_block_*, message_delta,
// message_stop.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "model/anthropic_turns.h"
#include "model/call_assembly.h"
#include "model/opaque.h"
#include "model/provider.h"
#include "model/request_body.h"

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

class MessagesDecoder : public Decoder {
 public:
  void event(const net::SseEvent& event, OnDelta& on_delta) override {
    if (error() || ended_ || event.event == "ping") return;
    if (const auto json = read(event)) on_event(*json, event.event, on_delta);
  }

  bool complete() const override { return ended_; }
  // Behind the reason to stop there is nothing but the end.
  bool complete_at_end() const override { return ended_ || stopped(); }

 protected:
  bool on_whole(const Json& document, OnDelta& on_delta) override {
    const auto content = document.find("content");
    if (string_member(document, "type") != "message" || content == document.end() || !content->is_array())
      return false;
    completion_.model = string_member(document, "model");
    std::int64_t index = 0;
    for (const Json& block : *content) {
      if (!block.is_object()) {
        fail_with(ErrorKind::kStreamCut, "the model sent content of an unknown shape");
        return true;
      }
      on_block(index, block, on_delta);
      on_block_end(index++, on_delta);
    }
    on_usage(member(document, "usage"));
    on_stop_reason(document, on_delta);
    ended_ = true;
    return true;
  }

 private:
  enum class Kind : std::uint8_t { kText, kCall, kOpaque };
  struct Block {
    Kind kind = Kind::kText;
    std::size_t at = 0;  // piece, or call
    std::string input;   // kCall: what its beginning held; kOpaque: JSON in fragments
    bool ended = false;
    bool cut = false;  // kOpaque: it ended within its input
  };

  void on_event(const Json& json, const std::string& name, OnDelta& on_delta) {
    std::string type = string_member(json, "type");
    if (type.empty()) type = name;
    const std::int64_t index = integer_member(json, "index").value_or(last_);
    if (type == "message_start") {
      begin_answer();
      const Json& message = member(json, "message");
      completion_.model = string_member(message, "model");
      on_usage(member(message, "usage"));
    } else if (stopped() && (type == "content_block_start" || type == "content_block_delta")) {
      fail_with(ErrorKind::kStreamCut, "the model's stream goes on behind its end: it holds two answers");
    } else if (type == "content_block_start") {
      on_block(integer_member(json, "index").value_or(static_cast<std::int64_t>(blocks_.size())),
               member(json, "content_block"), on_delta);
    } else if (type == "content_block_delta") {
      on_block_delta(index, member(json, "delta"), on_delta);
    } else if (type == "content_block_stop") {
      on_block_end(index, on_delta);
    } else if (type == "message_delta") {
      on_usage(member(json, "usage"));
      on_stop_reason(member(json, "delta"), on_delta);
    } else if (type == "message_stop") {
      ended_ = true;
    }
  }

  void on_block(std::int64_t index, const Json& json, OnDelta& on_delta) {
    if (const auto before = blocks_.find(index); before != blocks_.end()) {
      on_block_end(index, on_delta);
      if (before->second.cut) return ends_within();
    }
    last_ = index;
    Block block;
    const std::string type = string_member(json, "type");
    if (type == "text") {
      block.at = begin_text();
      add_text(block.at, string_member(json, "text"), on_delta);
      for (const auto& [name, value] : json.items()) {
        if (name != "type" && name != "text") add_text_extra(block.at, name, value);
      }
    } else if (type == "tool_use") {
      CallFragment fragment;
      fragment.id = string_member(json, "id");
      fragment.name = string_member(json, "name");
      block.kind = Kind::kCall;
      block.at = begin_call(assembly_.id_of(assembly_.begin(fragment).call), fragment.name, on_delta);
      if (const auto input = json.find("input"); input != json.end() && says_something(*input))
        block.input = input->is_string() ? input->get<std::string>() : dump_kept(*input);
      for (const auto& [name, value] : json.items()) {
        if (name != "type" && name != "id" && name != "name" && name != "input")
          add_call_extra(block.at, name, value);
      }
    } else {
      block.kind = Kind::kOpaque;
      block.at = begin_block(json);
    }
    blocks_[index] = std::move(block);
  }

  void on_block_delta(std::int64_t index, const Json& delta, OnDelta& on_delta) {
    const std::string type = string_member(delta, "type");
    auto found = blocks_.find(index);
    if (found == blocks_.end()) {
      // Text says itself where it belongs: to the answer. Nothing else does.
      if (type == "text_delta") return add_text(string_member(delta, "text"), on_delta);
      return fail_with(ErrorKind::kStreamCut, "the model's stream goes on with a block that did not begin");
    }
    Block& block = found->second;
    if (block.kind == Kind::kText && type == "text_delta") {
      add_text(block.at, string_member(delta, "text"), on_delta);
    } else if (block.kind == Kind::kCall && type == "input_json_delta") {
      add_arguments(block.at, string_member(delta, "partial_json"), on_delta);
    } else if (block.kind == Kind::kOpaque && type == "input_json_delta") {
      block.input += string_member(delta, "partial_json");
    } else if (type == "text_delta" || type == "input_json_delta") {
      fail_with(ErrorKind::kStreamCut, "the model's stream goes on with a block of another kind");
    } else {
      on_opaque_delta(block, type, delta);
    }
  }

  // thinking_delta, signature_delta, citations_delta and what will come: the members of a delta go on those
  // of its block; a list goes on with one item.
  void on_opaque_delta(const Block& block, const std::string& type, const Json& delta) {
    for (const auto& [name, value] : delta.items()) {
      if (name == "type") continue;
      const bool item = type == "citations_delta" && name == "citation";
      const std::string target = item ? "citations" : name;
      const Json piece = item ? Json::array({value}) : value;
      if (block.kind == Kind::kText) {
        add_text_extra(block.at, target, piece);
      } else if (block.kind == Kind::kCall) {
        add_call_extra(block.at, target, piece);
      } else {
        merge_fragment(this->block(block.at), Json{{target, piece}});
      }
    }
  }

  void on_block_end(std::int64_t index, OnDelta& on_delta) {
    const auto found = blocks_.find(index);
    if (found == blocks_.end() || std::exchange(found->second.ended, true)) return;
    Block& block = found->second;
    if (block.kind == Kind::kCall) {
      // A call without arguments sends no fragment; one that came whole sends none, either.
      if (block.input.empty() && !has_arguments(block.at)) block.input = "{}";
      if (!block.input.empty() && !complete_arguments(block.at, block.input, on_delta))
        fail_with(ErrorKind::kStreamCut, "the model's stream says a tool call twice, and not the same");
    } else if (block.kind == Kind::kOpaque && !block.input.empty()) {
      Json input = parse_kept(block.input, kMaxForeignJsonDepth);
      block.cut = input.is_discarded();
      if (!block.cut) this->block(block.at)["input"] = std::move(input);
    }
  }

  // The end has come to all of them. One that nobody ended is whole if it shows that it is; of an answer that
  // was cut, half a block is left out, since it would be refused, and half a call is made by nobody.
  void settle(OnDelta& on_delta) {
    const bool cut = completion_.stop_reason == StopReason::kMaxTokens;
    for (auto& [index, block] : blocks_) {
      if (block.kind == Kind::kText) continue;
      const bool said_nothing = block.kind == Kind::kCall && block.input.empty() && !has_arguments(block.at);
      const bool open = !block.ended;
      if (!cut || !said_nothing) on_block_end(index, on_delta);
      const bool half = block.kind == Kind::kOpaque ? block.cut : open && (said_nothing || !is_object(block));
      if (!half) continue;
      if (!cut) return ends_within();
      if (block.kind == Kind::kOpaque) drop_block(block.at);
    }
  }

  void ends_within() { fail_with(ErrorKind::kStreamCut, "the model's stream ends within one of its blocks"); }

  bool is_object(const Block& call) const {
    return parse_kept(completion_.message.tool_calls[call.at].arguments, kMaxForeignJsonDepth).is_object();
  }

  // Each event need not repeat all counts; gateways write zeros for those that it does not.
  void on_usage(const Json& usage) {
    count(usage, "input_tokens", fresh_);
    count(usage, "cache_read_input_tokens", completion_.usage.cached_input_tokens);
    count(usage, "cache_creation_input_tokens", completion_.usage.cache_write_tokens);
    count(usage, "output_tokens", completion_.usage.output_tokens);
    completion_.usage.input_tokens =
        fresh_ + completion_.usage.cached_input_tokens + completion_.usage.cache_write_tokens;
  }

  void on_stop_reason(const Json& json, OnDelta& on_delta) {
    const auto member = json.find("stop_reason");
    if (member == json.end() || !says_something(*member)) return;
    const std::string reason = member->is_string() ? member->get<std::string>() : dump_kept(*member);
    const bool calls = !completion_.message.tool_calls.empty();
    if (reason == "refusal") {
      fail_with(ErrorKind::kContentFilter, "the model refused to answer: change the prompt", reason);
    } else if (reason == "tool_use") {
      stop(StopReason::kToolCalls);
    } else if (reason == "max_tokens" || reason == "model_context_window_exceeded") {
      stop(StopReason::kMaxTokens);
    } else if (reason == "stop_sequence") {
      stop(StopReason::kStopSequence);
    } else if (reason == "pause_turn") {
      stop(StopReason::kPaused);
    } else if (reason == "end_turn") {
      stop(calls ? StopReason::kToolCalls : StopReason::kEnd);
    } else {
      stop_unknown(reason);
    }
    if (!error()) settle(on_delta);
  }

  std::map<std::int64_t, Block> blocks_;  // by their index on the wire
  CallAssembly assembly_;
  std::int64_t last_ = 0;   // the block that began last
  std::int64_t fresh_ = 0;  // input that no cache knew
  bool ended_ = false;
};

net::Headers headers(const std::string& api_key, const Dialect&) {
  net::Headers out = {{"anthropic-version", std::string(kVersion)}};
  if (!api_key.empty()) out.emplace_back("x-api-key", api_key);
  return out;
}

// The provider keeps what stands before a mark, and looks for it at the last twenty blocks before each: one
// behind the tools, one behind the system text, and the ends of the last two turns of the user.
void mark(Json& block) {
  block["cache_control"] = {{"type", "ephemeral"}};
}

void mark_turns(Json& turns) {
  constexpr int kMarkedTurns = 2;
  int left = kMarkedTurns;
  for (std::size_t i = turns.size(); i > 0 && left > 0; --i) {
    Json& turn = turns[i - 1];
    if (turn["role"] != "user" || !turn["content"].is_array() || turn["content"].empty()) continue;
    mark(turn["content"].back());
    --left;
  }
}

Result<std::string> encode(const Request& request, const Dialect& dialect) {
  Result<AnthropicTurns> conversation = anthropic_turns(request, dialect);
  if (!conversation) return fail(conversation.error());
  Json out = request_body();
  out["model"] = request.model;
  out["max_tokens"] = request.max_tokens.value_or(kDefaultMaxTokens);
  const std::string& system = conversation->system;
  Json turns = std::move(conversation->turns);
  if (!system.empty()) out["system"] = system;
  if (!system.empty() && request.cache_marks) {
    out["system"] = Json::array({{{"type", "text"}, {"text", system}}});
    mark(out["system"].back());
  }
  if (request.cache_marks) mark_turns(turns);
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
  if (!request.tools.empty() && request.cache_marks) mark(out["tools"].back());
  if (!request.output_schema.empty()) {
    Result<Json> schema = output_schema_of(request);
    if (!schema) return fail(schema.error());
    out["output_config"] = {{"format", {{"type", "json_schema"}, {"schema", std::move(*schema)}}}};
  }
  if (request.temperature) out["temperature"] = *request.temperature;
  if (!request.stop.empty()) out["stop_sequences"] = request.stop;
  out["stream"] = true;
  return dump_kept(out);
}

// A thought is signed for the conversation that it was part of, and a result of the provider's own tools is
// of use to its maker alone: where it takes one back no more, the conversation goes on without.
std::optional<Dialect> adapt(const Dialect& dialect, const Error& refused) {
  if (refused.http_status != 400 && refused.http_status != 422) return std::nullopt;
  const std::string said = ascii_lower(refused.message);
  const auto says = [&](std::string_view words) { return said.find(words) != std::string::npos; };
  Dialect other = dialect;
  if (says("thinking") && says("must be passed back") && !dialect.wants_thoughts) {
    other.wants_thoughts = true;
    return other;
  }
  const bool thought = says("thinking") && (says("signature") || says("cannot be modified"));
  const bool result = says("encrypted_content") || says("srvtoolu_") || says("server_tool_use");
  if (dialect.plain_once || !(thought || result)) return std::nullopt;
  other.plain_once = true;
  return other;
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
                                             .decoder = decoder,
                                             .adapt = adapt});

}  // namespace holdfast::model
