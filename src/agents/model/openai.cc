// OpenAI Chat Completions, as OpenAI, Ollama, vLLM, llama.cpp and many others speak it: POST
// /chat/completions, chunks of `choices[0].delta`, usage in a last chunk without choices, then [DONE].

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "base/paragraphs.h"
#include "model/call_assembly.h"
#include "model/media.h"
#include "model/opaque.h"
#include "model/openai_server.h"
#include "model/provider.h"
#include "model/request_body.h"
#include "model/resend.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

Status takes(const Media& media) {
  if (media.image || media.url.empty()) return {};
  return Status(Code::kInvalidArgument,
                "content: Chat Completions takes a file by its data only; use `openai_responses` for a URL");
}

Json media_part(const Media& media) {
  if (media.image) return {{"type", "image_url"}, {"image_url", {{"url", media.as_url()}}}};
  return {{"type", "file"},
          {"file", {{"filename", media.name.empty() ? "file" : media.name}, {"file_data", media.as_url()}}}};
}

// Not every server of the format takes texts in a list. What a model said was one text; what others said in
// parts is not.
std::string texts_of(const Message& message) {
  if (message.role == Role::kAssistant) return message.text();
  std::string out;
  for (const Part& part : message.content) add_paragraph(out, part.text);
  return out;
}

// Opaque parts only where they came from; the others stand apart.
Json content_of(const Message& message, bool from_here) {
  Json parts = Json::array();
  bool only_text = true;
  for (const Part& part : message.content) {
    if (part.type == "tool_call" || (part.type == "opaque" && !from_here)) continue;
    Json json;
    if (part.type == "text") {
      json = {{"type", "text"}, {"text", part.text}};
      if (from_here && !part.extra.empty()) json.update(parse_kept(part.extra));
      only_text = only_text && json.size() == 2;
    } else {
      const auto media = media_of(part);
      json = media && *media ? media_part(**media) : parse_kept(part.json);
      only_text = false;
    }
    parts.push_back(std::move(json));
  }
  if (only_text) return texts_of(message);
  return parts;
}

// What the model put on its message besides the format's own members, as the format takes it back.
void add_extra(const std::string& extra, Json& out) {
  if (extra.empty()) return;
  const Json members = parse_kept(extra);
  for (const auto& [name, value] : members.items()) {
    if (name == "audio" && value.is_object() && value.contains("id")) {
      out[name] = {{"id", value["id"]}};  // the sound itself is not taken back
    } else if (out.contains(name) && out[name].is_object() && value.is_object()) {
      out[name].update(value);
    } else {
      out[name] = value;
    }
  }
}

Json assistant_of(const Message& message, bool from_here, ResentCalls& calls) {
  Json out = {{"role", "assistant"}, {"content", content_of(message, from_here)}};
  if (!message.tool_calls.empty()) {
    if (message.content.empty()) out["content"] = nullptr;
    Json& list = out["tool_calls"] = Json::array();
    for (const ToolCall& call : message.tool_calls) {
      Json item = {
          {"id", calls.open(call, from_here)},
          {"type", "function"},
          {"function", {{"name", resent_name(call.name)}, {"arguments", resent_arguments(call.arguments)}}}};
      if (from_here) add_extra(call.extra, item);
      list.push_back(std::move(item));
    }
  }
  if (from_here) add_extra(message.extra, out);
  return out;
}

bool says_nothing(const Json& said) {
  const auto content = said.find("content");
  return !said.contains("tool_calls") &&
         (!says_something(*content) ||
          (content->is_string() && is_blank(content->get_ref<const std::string&>())));
}

Json tool_answer(const std::string& id, std::string_view text) {
  return {{"role", "tool"}, {"content", text}, {"tool_call_id", id}};
}

Json messages_of(const Request& request, const Dialect& dialect) {
  const std::string origin = resent_origin(kOpenAi.name, dialect);
  Json out = Json::array();
  ResentCalls calls;
  const auto close = [&] {
    for (const std::string& id : calls.take_unanswered()) out.push_back(tool_answer(id, kNoAnswer));
  };
  for (const Message& message : request.messages) {
    if (message.role == Role::kTool) {
      if (const auto id = calls.answer(message.tool_call_id)) {
        Json answer = tool_answer(*id, "");
        answer["content"] = content_of(message, false);
        out.push_back(std::move(answer));
      } else {
        close();
        out.push_back({{"role", "user"}, {"content", resent_orphan(message)}});
      }
      continue;
    }
    close();
    if (message.role == Role::kAssistant) {
      Json said = assistant_of(message, message.origin == origin, calls);
      if (dialect.no_empty && says_nothing(said)) continue;
      if (dialect.wants_thoughts && string_member(said, "reasoning_content").empty())
        said["reasoning_content"] = kNoThought;
      out.push_back(std::move(said));
    } else {
      out.push_back({{"role", role_name(message.role)}, {"content", content_of(message, false)}});
    }
  }
  close();
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

// What the format itself says of a message; all else is kept as it came.
bool is_own(const std::string& member) {
  return member == "role" || member == "content" || member == "tool_calls" || member == "function_call" ||
         member == "refusal";
}

// A chunk of counts, or one that ends, may have an id of its own.
bool says_more(const Json& message) {
  for (const auto& [name, value] : message.items()) {
    if (name != "role" && says_something(value)) return true;
  }
  return false;
}

class ChatDecoder : public Decoder {
 public:
  void event(const net::SseEvent& event, OnDelta& on_delta) override {
    if (error() || done_) return;
    if (says_done(event.data)) {
      done_ = true;
      return;
    }
    const std::optional<Json> json = read(event);
    if (json) on_chunk(*json, on_delta);
  }

  // A reason to stop is the end of the message; some servers leave [DONE] away.
  bool complete() const override { return done_ || stopped(); }
  // Counts follow the reason to stop.
  bool over() const override { return done_; }

 protected:
  bool on_whole(const Json& document, OnDelta& on_delta) override {
    if (!document.contains("choices")) return false;
    on_chunk(document, on_delta);
    done_ = true;
    return true;
  }

 private:
  void on_chunk(const Json& json, OnDelta& on_delta) {
    if (const std::string model = string_member(json, "model"); !model.empty()) completion_.model = model;
    on_usage(json);
    // Groq's own corner: counts, and why a stream broke off.
    if (const auto groq = json.find("x_groq"); groq != json.end() && groq->is_object()) {
      on_usage(*groq);
      if (auto error = error_within(*groq)) return fail_with(std::move(*error));
    }
    const auto choices = json.find("choices");
    if (choices == json.end() || !says_something(*choices)) return;
    if (!choices->is_array()) return unknown_shape("choices");
    for (const Json& choice : *choices) {
      if (choice.is_null()) continue;
      if (!choice.is_object()) return unknown_shape("a choice");
      // One answer was asked for.
      if (integer_member(choice, "index").value_or(0) != 0) continue;
      on_choice(choice, string_member(json, "id"), on_delta);
    }
  }

  void on_choice(const Json& choice, const std::string& id, OnDelta& on_delta) {
    on_usage(choice);  // Moonshot's place for it
    if (auto error = error_within(choice)) return fail_with(std::move(*error));
    bool said_more = false;
    for (const char* name : {"delta", "message"}) {
      const auto said = choice.find(name);
      if (said == choice.end() || !says_something(*said)) continue;
      if (!said->is_object()) return unknown_shape(name);
      const bool whole = name == std::string_view("message");
      if (says_more(*said)) {
        if (said_more) continue;  // all so far, beside what is new: Perplexity
        said_more = true;
        of_answer(id);
        if (whole && in_pieces_) {
          repeat(*said, on_delta);
          continue;
        }
        in_pieces_ = in_pieces_ || !whole;
      }
      on_message(*said, on_delta);
    }
    // Of the format before there were messages; Together says both, and the same.
    const auto text = choice.find("text");
    if (!said_more && text != choice.end() && says_something(*text)) {
      of_answer(id);
      on_content(*text, on_delta);
    }
    on_finish(choice);
  }

  // All of an answer that came in pieces, once more, as MiniMax ends: it must be the same.
  void repeat(const Json& message, OnDelta& on_delta) {
    std::string text;
    const auto content = message.find("content");
    if (content != message.end() && content->is_string()) text = content->get<std::string>();
    const Json calls = message.value("tool_calls", Json());
    const std::size_t count = says_something(calls) ? calls.size() : 0;
    bool same = text == said_text() && count == completion_.message.tool_calls.size() &&
                (count == 0 || calls.is_array());
    for (std::size_t i = 0; same && i < count; ++i) same = repeats(calls[i], i, on_delta);
    if (!same) fail_with(ErrorKind::kStreamCut, "the model's stream says its answer twice, and not the same");
  }

  bool repeats(const Json& call, std::size_t place, OnDelta& on_delta) {
    const auto function = call.is_object() ? call.find("function") : call.end();
    if (!call.is_object() || function == call.end() || !function->is_object()) return false;
    const std::string arguments = string_member(*function, "arguments");
    return string_member(*function, "name") == completion_.message.tool_calls[place].name &&
           complete_arguments(place, arguments, on_delta);
  }

  void unknown_shape(std::string_view what) {
    fail_with(ErrorKind::kStreamCut, "the model sent " + std::string(what) + " of an unknown shape");
  }

  static std::optional<Error> error_within(const Json& object) {
    const auto error = object.find("error");
    if (error == object.end() || !says_something(*error)) return std::nullopt;
    return error_in(Json{{"error", *error}});
  }

  void on_usage(const Json& json) {
    const auto usage = json.find("usage");
    if (usage == json.end() || !usage->is_object() || usage->empty()) return;
    Usage& out = completion_.usage;
    count(*usage, "prompt_tokens", out.input_tokens);
    count(*usage, "completion_tokens", out.output_tokens);
    for (const char* name : {"cached_tokens", "prompt_cache_hit_tokens"})  // Moonshot's, DeepSeek's
      count(*usage, name, out.cached_input_tokens);
    if (const auto details = usage->find("prompt_tokens_details");
        details != usage->end() && details->is_object()) {
      count(*details, "cached_tokens", out.cached_input_tokens);
      count(*details, "cache_write_tokens", out.cache_write_tokens);
    }
    const auto details = usage->find("completion_tokens_details");
    if (details == usage->end() || !details->is_object()) return;
    count(*details, "reasoning_tokens", out.reasoning_tokens);
    // xAI counts what was thought beside the answer. The sum is no count of its own: it may be larger than
    // one can be.
    const std::int64_t said = tokens(*usage, "completion_tokens").value_or(0);
    const std::int64_t with_thoughts = said + tokens(*details, "reasoning_tokens").value_or(0);
    if (integer_member(*usage, "total_tokens") == tokens(*usage, "prompt_tokens").value_or(0) + with_thoughts)
      out.output_tokens = std::max(out.output_tokens, with_thoughts);
  }

  void on_message(const Json& message, OnDelta& on_delta) {
    for (const auto& [name, value] : message.items()) {
      if (!is_own(name)) add_extra(name, value);
    }
    add_refusal(string_member(message, "refusal"));
    if (const auto content = message.find("content"); content != message.end())
      on_content(*content, on_delta);
    if (const auto calls = message.find("tool_calls"); calls != message.end()) {
      if (calls->is_object()) on_call(*calls, on_delta);
      if (calls->is_array()) {
        for (const Json& call : *calls) {
          if (call.is_object()) {
            on_call(call, on_delta);
          } else if (says_something(call)) {
            unknown_shape("a tool call");
          }
        }
      } else if (!calls->is_object() && says_something(*calls)) {
        unknown_shape("tool calls");
      }
    }
    // The name of the one call, before there were several.
    if (const auto call = message.find("function_call"); call != message.end() && call->is_object())
      on_call(Json{{"function", *call}}, on_delta);
  }

  void on_content(const Json& content, OnDelta& on_delta) {
    if (content.is_string()) return add_text(content.get<std::string>(), on_delta);
    if (content.is_object()) return on_part(content, on_delta);
    if (content.is_array()) {
      for (const Json& part : content) on_content(part, on_delta);
    } else if (!content.is_null()) {
      unknown_shape("content");
    }
  }

  // Content in parts: texts are the answer, what else there is stays with the provider.
  void on_part(const Json& part, OnDelta& on_delta) {
    const std::string type = string_member(part, "type");
    const auto text = part.find("text");
    if ((type == "text" || type == "output_text" || type.empty()) && text != part.end() &&
        text->is_string()) {
      block_.reset();
      return add_text(text->get<std::string>(), on_delta);
    }
    if (type == "refusal") return add_refusal(string_member(part, "refusal"));
    if (block_ && string_member(block(*block_), "type") == type) return merge_fragment(block(*block_), part);
    block_ = begin_block(part);
  }

  void on_call(const Json& call, OnDelta& on_delta) {
    CallFragment fragment;
    if (call.contains("index") && call["index"].is_number_integer())
      fragment.index = integer_member(call, "index");
    fragment.id = string_member(call, "id");
    const auto function = call.find("function");
    const bool has_function = function != call.end() && function->is_object();
    if (has_function) {
      fragment.name = string_member(*function, "name");
      if (const auto arguments = function->find("arguments");
          arguments != function->end() && !arguments->is_null()) {
        fragment.arguments = arguments->is_string() ? arguments->get<std::string>() : dump_kept(*arguments);
      }
    }
    const auto place = assembly_.place(fragment);
    if (!place) {
      return fail_with(ErrorKind::kStreamCut,
                       "the model's stream mixes its tool calls so that it cannot be told which one goes on");
    }
    if (place->begins) {
      begin_call(assembly_.id_of(place->call), place->name, on_delta);
    } else if (!place->name.empty()) {
      add_name(place->call, place->name, on_delta);
    }
    if (!place->was_whole || !restate_arguments(place->call, fragment.arguments, on_delta))
      add_arguments(place->call, std::move(fragment.arguments), on_delta);
    for (const auto& [name, value] : call.items()) {
      if (name != "index" && name != "id" && name != "type" && name != "function")
        add_call_extra(place->call, name, value);
    }
    if (!has_function) return;
    for (const auto& [name, value] : function->items()) {
      if (name != "name" && name != "arguments" && says_something(value))
        add_call_extra(place->call, "function", Json{{name, value}});
    }
  }

  void on_finish(const Json& choice) {
    const auto member = choice.find("finish_reason");
    if (member == choice.end() || !says_something(*member)) return;
    const std::string reason =
        member->is_string() ? ascii_lower(member->get<std::string>()) : dump_kept(*member);
    if (reason == "null") return;  // KoboldCpp's word for none yet
    const bool calls = !completion_.message.tool_calls.empty();
    if (reason == "content_filter" || reason == "safety" || reason == "recitation" || reason == "refusal" ||
        reason == "prohibited_content" || reason == "blocklist" || reason == "sensitive") {
      fail_with(ErrorKind::kContentFilter, "the model's content filter stopped the answer: change the prompt",
                reason);
    } else if (reason == "length" || reason == "max_tokens" || reason == "model_length") {
      stop(StopReason::kMaxTokens);
    } else if (reason == "tool_calls" || reason == "function_call" || reason == "tool_use") {
      stop(StopReason::kToolCalls);
    } else if (reason == "stop" || reason == "eos" || reason == "eos_token" || reason == "end_turn") {
      stop(calls ? StopReason::kToolCalls : StopReason::kEnd);
    } else if (reason == "stop_sequence") {
      stop(calls ? StopReason::kToolCalls : StopReason::kStopSequence);
    } else if (reason == "error" || reason == "abort" || reason == "insufficient_system_resource" ||
               reason == "network_error") {
      fail_with(ErrorKind::kOverloaded, "the model's server broke the answer off: " + reason, reason);
    } else {
      stop_unknown(reason);
    }
  }

  CallAssembly assembly_;
  std::optional<std::size_t> block_;  // the part that goes on
  bool in_pieces_ = false;            // some of the answer came as a delta
  bool done_ = false;
};

std::string path_of(const Request& request, const Dialect& dialect) {
  return openai_path("/chat/completions", true, request, dialect);
}

constexpr const char* kLimit = "max_tokens";
constexpr const char* kRenamedLimit = "max_completion_tokens";

// OpenAI renamed the limit and its newer models refuse the old name; most compatible servers know the old
// one, and those that do not say so.
bool takes_renamed_limit(std::string_view base_url) {
  return base_url.find("api.openai.com") != std::string_view::npos;
}

// What a server does not take back of what it said itself, or wants beside it.
std::optional<Dialect> adapt_resent(const Dialect& dialect, const std::string& said) {
  const auto says = [&](std::string_view words) { return said.find(words) != std::string::npos; };
  Dialect other = dialect;
  if (!dialect.wants_thoughts && says("reasoning_content") &&
      (says("must be passed back") || says("is missing"))) {
    other.wants_thoughts = true;  // DeepSeek, Moonshot
  } else if (!dialect.plain && says("assistant") &&
             (says("extra inputs are not permitted") || (says("property '") && says("is unsupported")))) {
    other.plain = true;  // Mistral, Groq
  } else if (!dialect.no_empty && says("assistant") &&
             (says("must not be empty") || says("content or tool_calls"))) {
    other.no_empty = true;  // Moonshot, Mistral, DeepSeek
  } else if (!dialect.plain_once && says("signature") && (says("thought") || says("thinking"))) {
    other.plain_once = true;  // gateways
  } else {
    return std::nullopt;
  }
  return other;
}

std::optional<Dialect> adapt(const Dialect& dialect, const Error& refused) {
  if (refused.http_status != 400 && refused.http_status != 422) return std::nullopt;
  Dialect other = dialect;
  if (!dialect.uncounted && refused.message.find("stream_options") != std::string::npos) {
    other.uncounted = true;
    return other;
  }
  const bool renamed = takes_renamed_limit(dialect.base_url) != dialect.other_limit;
  const bool says_new = refused.message.find(kRenamedLimit) != std::string::npos;
  const bool says_old = refused.message.find(kLimit) != std::string::npos;
  const bool of_limit =
      renamed ? says_new : says_new || (says_old && refused.code == "unsupported_parameter");
  if (!of_limit || dialect.other_limit) return adapt_resent(dialect, ascii_lower(refused.message));
  other.other_limit = true;
  return other;
}

Result<std::string> encode(const Request& request, const Dialect& dialect) {
  if (Status status = check_media(request.messages, takes); !status.ok()) return fail(status);
  Json out = request_body();
  out["model"] = request.model;
  out["messages"] = messages_of(request, dialect);
  if (!request.tools.empty()) {
    Result<Json> tools = tools_of(request);
    if (!tools) return fail(tools.error());
    out["tools"] = std::move(*tools);
  }
  if (request.max_tokens) {
    const bool renamed = takes_renamed_limit(dialect.base_url) != dialect.other_limit;
    out[renamed ? kRenamedLimit : kLimit] = *request.max_tokens;
  }
  if (request.temperature) out["temperature"] = *request.temperature;
  if (!request.stop.empty()) out["stop"] = request.stop;
  if (!request.output_schema.empty()) {
    Result<Json> schema = output_schema_of(request);
    if (!schema) return fail(schema.error());
    const bool strict = is_strict(*schema);
    out["response_format"] = {
        {"type", "json_schema"},
        {"json_schema", {{"name", "answer"}, {"schema", std::move(*schema)}, {"strict", strict}}}};
  }
  out["stream"] = true;
  if (!dialect.uncounted) out["stream_options"] = {{"include_usage", true}};
  return dump_kept(out);
}

std::unique_ptr<Decoder> decoder() {
  return std::make_unique<ChatDecoder>();
}

}  // namespace

constinit const Provider kOpenAi = whole({.name = "openai",
                                          .default_url = "https://api.openai.com/v1",
                                          .path = "/chat/completions",
                                          .path_of = path_of,
                                          .headers = openai_headers,
                                          .encode = encode,
                                          .decoder = decoder,
                                          .adapt = adapt});

}  // namespace holdfast::model
