// OpenAI Chat Completions, as OpenAI, Ollama, vLLM, llama.cpp and many others speak it: POST
// /chat/completions, chunks of `choices[0].delta`, usage in a last chunk without choices, then [DONE].

#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/json_member.h"
#include "model/provider.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

Json content_of(const Message& message) {
  bool only_text = true;
  for (const Part& part : message.content) only_text = only_text && part.type == "text";
  if (only_text) return message.text();
  Json parts = Json::array();
  for (const Part& part : message.content) {
    parts.push_back(part.type == "text" ? Json{{"type", "text"}, {"text", part.text}}
                                        : parse_json<Json>(part.json));
  }
  return parts;
}

Json message_of(const Message& message) {
  Json out;
  out["role"] = role_name(message.role);
  out["content"] = content_of(message);
  if (message.role == Role::kTool) out["tool_call_id"] = message.tool_call_id;
  if (message.tool_calls.empty()) return out;
  if (message.content.empty()) out["content"] = nullptr;
  Json& calls = out["tool_calls"] = Json::array();
  for (const ToolCall& call : message.tool_calls) {
    calls.push_back({{"id", call.id},
                     {"type", "function"},
                     {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return out;
}

Result<Json> tools_of(const Request& request) {
  Json out = Json::array();
  for (const ToolDefinition& tool : request.tools) {
    Json function = {{"name", tool.name}, {"description", tool.description}};
    Result<Json> schema = schema_of(tool);
    if (!schema) return fail(schema.error());
    function["parameters"] = std::move(*schema);
    out.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return out;
}

class ChatDecoder : public Decoder {
 public:
  void event(const net::SseEvent& event, OnDelta& on_delta) override {
    if (error() || done_) return;
    if (event.data == "[DONE]") {
      done_ = true;
      return;
    }
    const Json json = parse_json<Json>(event.data, kMaxForeignJsonDepth);
    if (!json.is_object()) {
      fail_with(ErrorKind::kStreamCut, "the model sent a chunk that is not JSON");
      return;
    }
    if (const auto failure = json.find("error"); failure != json.end() && !failure->is_null()) {
      on_error(*failure);
      return;
    }
    if (const std::string model = string_member(json, "model"); !model.empty()) completion_.model = model;
    on_usage(json);
    const auto choices = json.find("choices");
    if (choices == json.end() || !choices->is_array() || choices->empty()) return;
    const Json& choice = choices->front();
    if (!choice.is_object()) return;
    if (const auto delta = choice.find("delta"); delta != choice.end() && delta->is_object())
      on_content(*delta, on_delta);
    on_finish(string_member(choice, "finish_reason"));
  }

  // A finish reason is the end of the message; some servers leave [DONE] away.
  bool complete() const override { return done_ || finished_; }

 private:
  void on_error(const Json& failure) {
    if (!failure.is_object()) {
      fail_with(
          error_of_code(0, {}, {}, failure.is_string() ? failure.get<std::string>() : dump_json(failure)));
      return;
    }
    std::string code = string_member(failure, "code");
    int status = 0;
    // vLLM and OpenRouter put the status there.
    if (const auto number = failure.find("code"); number != failure.end() && number->is_number_integer()) {
      status = number->get<int>();
      if (status < 400 || status > 599) status = 0;
    }
    fail_with(error_of_code(status, std::move(code), string_member(failure, "type"),
                            string_member(failure, "message")));
  }

  void on_usage(const Json& json) {
    const auto usage = json.find("usage");
    if (usage == json.end() || !usage->is_object()) return;
    completion_.usage.input_tokens = integer_member(*usage, "prompt_tokens").value_or(0);
    completion_.usage.output_tokens = integer_member(*usage, "completion_tokens").value_or(0);
    if (const auto details = usage->find("prompt_tokens_details");
        details != usage->end() && details->is_object()) {
      completion_.usage.cached_input_tokens = integer_member(*details, "cached_tokens").value_or(0);
    }
  }

  void on_content(const Json& delta, OnDelta& on_delta) {
    add_text(string_member(delta, "content"), on_delta);
    add_text(string_member(delta, "refusal"), on_delta);
    const auto calls = delta.find("tool_calls");
    if (calls == delta.end() || !calls->is_array()) return;
    for (const Json& call : *calls) {
      if (call.is_object()) on_call(call, on_delta);
    }
  }

  // Fragments say which call they continue by `index`. Some servers send whole calls and leave the index
  // away, or always 0: then a new id tells a new call.
  void on_call(const Json& call, OnDelta& on_delta) {
    const auto& calls = completion_.message.tool_calls;
    const std::string id = string_member(call, "id");
    const auto function = call.find("function");
    const bool has_function = function != call.end() && function->is_object();
    const std::string name = has_function ? string_member(*function, "name") : std::string();
    const bool indexed = call.contains("index") && call["index"].is_number_integer();
    const std::int64_t index =
        indexed ? call["index"].get<std::int64_t>() : static_cast<std::int64_t>(calls.size()) - 1;

    auto place = places_.find(index);
    const bool other_id = place != places_.end() && !id.empty() && calls[place->second].id != id;
    const bool whole = !indexed && !name.empty();
    if (place == places_.end() || other_id || whole) {
      const std::size_t position = begin_call(id, name, on_delta);
      place = places_.insert_or_assign(indexed ? index : static_cast<std::int64_t>(position), position).first;
    }
    if (!has_function) return;
    const auto arguments = function->find("arguments");
    if (arguments == function->end() || arguments->is_null()) return;
    add_arguments(place->second,
                  arguments->is_string() ? arguments->get<std::string>() : dump_json(*arguments), on_delta);
  }

  void on_finish(const std::string& reason) {
    if (reason.empty()) return;
    finished_ = true;
    if (reason == "content_filter") {
      fail_with(ErrorKind::kContentFilter, "the model's content filter stopped the answer: change the prompt",
                reason);
    } else if (reason == "length") {
      completion_.stop_reason = StopReason::kMaxTokens;
    } else if (reason == "tool_calls" || reason == "function_call" ||
               (reason == "stop" && !completion_.message.tool_calls.empty())) {
      completion_.stop_reason = StopReason::kToolCalls;
    } else {
      completion_.stop_reason = reason == "stop" ? StopReason::kEnd : StopReason::kOther;
    }
  }

  std::map<std::int64_t, std::size_t> places_;  // `index` on the wire -> position in the message
  bool finished_ = false;
  bool done_ = false;
};

net::Headers headers(const std::string& api_key) {
  if (api_key.empty()) return {};
  return {{"authorization", "Bearer " + api_key}};
}

Result<std::string> encode(const Request& request, std::string_view base_url) {
  Json out;
  out["model"] = request.model;
  Json& messages = out["messages"] = Json::array();
  for (const Message& message : request.messages) messages.push_back(message_of(message));
  if (!request.tools.empty()) {
    Result<Json> tools = tools_of(request);
    if (!tools) return fail(tools.error());
    out["tools"] = std::move(*tools);
  }
  // OpenAI renamed the limit and its newer models refuse the old name; the compatible servers know the old
  // one.
  const bool renamed = base_url.find("api.openai.com") != std::string_view::npos;
  if (request.max_tokens) out[renamed ? "max_completion_tokens" : "max_tokens"] = *request.max_tokens;
  if (request.temperature) out["temperature"] = *request.temperature;
  if (!request.stop.empty()) out["stop"] = request.stop;
  out["stream"] = true;
  out["stream_options"] = {{"include_usage", true}};
  return dump_json(out);
}

std::unique_ptr<Decoder> decoder() {
  return std::make_unique<ChatDecoder>();
}

}  // namespace

constinit const Provider kOpenAi = whole({.name = "openai",
                                          .default_url = "https://api.openai.com/v1",
                                          .path = "/chat/completions",
                                          .headers = headers,
                                          .encode = encode,
                                          .decoder = decoder});

}  // namespace holdfast::model
