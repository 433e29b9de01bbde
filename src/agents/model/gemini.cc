// Gemini's generateContent: POST /models/NAME:streamGenerateContent, a stream of whole documents, each with
// some parts more. What was thought is a signature on the part that it led to and goes back on it. The end is
// a reason to stop and the end of the stream.

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "base/url.h"
#include "model/call_assembly.h"
#include "model/gemini_contents.h"
#include "model/opaque.h"
#include "model/provider.h"
#include "model/request_body.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

const Json& member(const Json& object, const char* name) {
  static const Json kEmpty = Json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

// ---- the request

// A model's name as a path: of a publisher, of an account's own, or one of Google's.
std::string path_of(const Request& request, const Dialect&) {
  std::string name;
  std::string_view rest = request.model;
  while (true) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    name += percent_encode(rest.substr(0, slash));
    if (slash == rest.size()) break;
    name += '/';
    rest.remove_prefix(slash + 1);
  }
  const bool whole = name.starts_with("models/") || name.starts_with("tunedModels/") ||
                     name.starts_with("publishers/") || name.starts_with("projects/");
  return (whole ? "/" : "/models/") + name + ":streamGenerateContent?alt=sse";
}

net::Headers headers(const std::string& api_key, const Dialect&) {
  if (api_key.empty()) return {};
  return {{"x-goog-api-key", api_key}};
}

Result<std::string> encode(const Request& request, const Dialect& dialect) {
  Result<GeminiContents> contents =
      gemini_contents(request, resent_origin(kGemini.name, dialect), dialect.unsigned_calls);
  if (!contents) return fail(contents.error());
  Json out = request_body();
  if (!contents->system.empty())
    out["systemInstruction"] = {{"parts", Json::array({{{"text", contents->system}}})}};
  out["contents"] = std::move(contents->turns);
  if (!request.tools.empty()) {
    Json functions = Json::array();
    for (const ToolDefinition& tool : request.tools) {
      Result<Json> schema = schema_of(tool);
      if (!schema) return fail(schema.error());
      functions.push_back({{"name", tool.name},
                           {"description", tool.description},
                           {"parametersJsonSchema", std::move(*schema)}});
    }
    out["tools"] = Json::array({{{"functionDeclarations", std::move(functions)}}});
  }
  Json config = Json::object();
  if (request.max_tokens) config["maxOutputTokens"] = *request.max_tokens;
  if (request.temperature) config["temperature"] = *request.temperature;
  if (!request.stop.empty()) config["stopSequences"] = request.stop;
  if (!request.output_schema.empty()) {
    Result<Json> schema = output_schema_of(request);
    if (!schema) return fail(schema.error());
    config["responseMimeType"] = "application/json";
    config["responseJsonSchema"] = std::move(*schema);
  }
  if (!config.empty()) out["generationConfig"] = std::move(config);
  return dump_kept(out);
}

// Newer models refuse calls of a conversation that they did not sign, and signatures that hold no more.
std::optional<Dialect> adapt(const Dialect& dialect, const Error& refused) {
  if (refused.http_status != 400) return std::nullopt;
  const std::string said = ascii_lower(refused.message);
  const auto says = [&](std::string_view words) { return said.find(words) != std::string::npos; };
  Dialect other = dialect;
  if (says("signature")) (says("missing") ? other.unsigned_calls : other.plain_once) = true;
  if (other.unsigned_calls == dialect.unsigned_calls && other.plain_once == dialect.plain_once)
    return std::nullopt;
  return other;
}

// ---- errors

// "34.5s", as the provider writes durations.
std::optional<std::chrono::milliseconds> seconds_of(const std::string& text) {
  if (!text.ends_with('s') || text.size() < 2 || text.size() > 20 ||
      text.find_first_not_of("0123456789.") != text.size() - 1)
    return std::nullopt;
  const double seconds = std::strtod(text.c_str(), nullptr);
  if (!(seconds > 0) || seconds > 86400.0 * 30) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

// What the provider says beside code and status: when to ask again, which key is wrong, that there is no
// quota at all.
void read_details(const Json& document, Error& error) {
  const Json& first = document.is_array() && !document.empty() ? document.front() : document;
  if (!first.is_object()) return;
  const Json& said = member(first, "error");
  if (error.message.find("limit: 0") != std::string::npos && error.kind == ErrorKind::kRateLimited) {
    error.kind = ErrorKind::kQuotaExhausted;
    error.retryable = false;
  }
  const auto details = said.find("details");
  if (details == said.end() || !details->is_array()) return;
  for (const Json& detail : *details) {
    if (!detail.is_object()) continue;
    const std::string reason = string_member(detail, "reason");
    if (reason == "API_KEY_INVALID" || reason == "API_KEY_EXPIRED" || reason == "ACCESS_TOKEN_EXPIRED") {
      error.kind = ErrorKind::kAuth;
      error.retryable = false;
      error.code = reason;
    }
    if (error.retryable && !error.retry_after)
      error.retry_after = seconds_of(string_member(detail, "retryDelay"));
  }
}

Error classify_error(const net::HttpHead& head, std::string_view body, WallTime now) {
  Error error = error_of_response(head, body, now);
  const Json document = parse_json<Json>(body, kMaxForeignJsonDepth);
  if (!document.is_discarded()) read_details(document, error);
  return error;
}

// ---- the answer

class GeminiDecoder : public Decoder {
 public:
  void event(const net::SseEvent& event, OnDelta& on_delta) override {
    if (error() || says_done(event.data)) return;
    if (const auto json = read(event)) on_document(*json, on_delta);
  }

  // More may follow the reason to stop: a signature, counts.
  bool complete() const override { return whole_; }
  bool complete_at_end() const override { return stopped(); }

 protected:
  // One document, or the list of them that a stream is where events were not asked for.
  bool on_whole(const Json& document, OnDelta& on_delta) override {
    if (document.is_array()) {
      for (const Json& one : document) {
        if (error()) return true;
        if (!one.is_object()) return false;
        if (auto said = error_in(one)) {
          fail_with(std::move(*said));
        } else {
          on_document(one, on_delta);
        }
      }
    } else if (document.contains("candidates") || document.contains("promptFeedback")) {
      on_document(document, on_delta);
    } else {
      return false;
    }
    whole_ = true;
    return true;
  }

  void refine(const Json& document, Error& error) const override { read_details(document, error); }

 private:
  void on_document(const Json& json, OnDelta& on_delta) {
    if (const std::string model = string_member(json, "modelVersion"); !model.empty())
      completion_.model = model;
    if (const std::string id = string_member(json, "responseId"); !id.empty()) completion_.request_id = id;
    on_usage(member(json, "usageMetadata"));
    const Json& feedback = member(json, "promptFeedback");
    if (const std::string reason = string_member(feedback, "blockReason");
        !reason.empty() && !reason.ends_with("UNSPECIFIED")) {
      const std::string why = string_member(feedback, "blockReasonMessage");
      return fail_with(
          ErrorKind::kContentFilter,
          "the model's content filter refused the prompt (" + reason + ")" + (why.empty() ? "" : ": " + why),
          reason);
    }
    const auto candidates = json.find("candidates");
    if (candidates == json.end() || !candidates->is_array()) return;
    for (const Json& candidate : *candidates) {
      // One answer was asked for.
      if (!candidate.is_object() || integer_member(candidate, "index").value_or(0) != 0) continue;
      if (says_something(member(candidate, "content"))) of_answer(string_member(json, "responseId"));
      on_candidate(candidate, on_delta);
    }
  }

  void on_candidate(const Json& candidate, OnDelta& on_delta) {
    const Json& content = member(candidate, "content");
    if (const auto said = candidate.find("content");
        said != candidate.end() && !said->is_object() && says_something(*said))
      return fail_with(ErrorKind::kStreamCut, "the model sent content of an unknown shape");
    if (const auto parts = content.find("parts"); parts != content.end() && says_something(*parts)) {
      if (!parts->is_array())
        return fail_with(ErrorKind::kStreamCut, "the model sent content of an unknown shape");
      for (const Json& part : *parts) {
        if (error()) return;
        if (!part.is_object())
          return fail_with(ErrorKind::kStreamCut, "the model sent a part of an unknown shape");
        on_part(part, on_delta);
      }
    }
    on_finish(candidate);
    if (!stopped()) return;
    for (const char* name : {"groundingMetadata", "citationMetadata", "urlContextMetadata"}) {
      if (const auto found = candidate.find(name); found != candidate.end()) add_extra(name, *found);
    }
  }

  void on_part(const Json& part, OnDelta& on_delta) {
    if (const auto call = part.find("functionCall"); call != part.end()) {
      if (!call->is_object())
        return fail_with(ErrorKind::kStreamCut, "the model sent a tool call of an unknown shape");
      return on_call(part, *call, on_delta);
    }
    const auto text = part.find("text");
    const auto thought = part.find("thought");
    const bool thinks = thought != part.end() && *thought == true;
    if (text == part.end() || !text->is_string() || thinks) return on_opaque(part, thinks);
    const bool marked = std::any_of(part.begin(), part.end(), [&](const Json& value) {
      return &value != &*text && says_something(value) && value != false;
    });
    // A mark belongs to its part and to no other.
    if (marked && text->get_ref<const std::string&>().empty()) return on_opaque(part, false);
    if (marked || !text_) text_ = begin_text();
    thought_.reset();
    add_text(*text_, text->get<std::string>(), on_delta);
    if (!marked) return;
    for (const auto& [name, value] : part.items()) {
      if (name != "text" && name != "thought") add_text_extra(*text_, name, value);
    }
    text_.reset();
  }

  // What is thought comes in pieces; all else is kept as it came.
  void on_opaque(const Json& part, bool thinks) {
    text_.reset();
    // A thought of no words, without a mark, is refused.
    const bool says = std::any_of(part.begin(), part.end(), [](const Json& value) {
      return says_something(value) && !value.is_boolean();
    });
    if (thinks && !says) return;
    const bool plain = thinks && part.size() == 2 && part.contains("text") && part["text"].is_string();
    if (plain && thought_) {
      Json& whole = block(*thought_);
      whole["text"].get_ref<std::string&>() += part["text"].get_ref<const std::string&>();
      return;
    }
    const std::size_t at = begin_block(part);
    thought_.reset();
    if (plain) thought_ = at;
  }

  void on_call(const Json& part, const Json& call, OnDelta& on_delta) {
    text_.reset();
    thought_.reset();
    const auto goes_on = call.find("willContinue");
    if (call.contains("partialArgs") || (goes_on != call.end() && *goes_on == true)) {
      return fail_with(ErrorKind::kStreamCut,
                       "the model's stream sends a tool call in pieces, which was not asked for");
    }
    const auto args = call.find("args");
    if (args != call.end() && !args->is_null() && !args->is_object())
      return fail_with(ErrorKind::kStreamCut, "the model sent arguments that are no object");
    CallFragment fragment;
    fragment.id = string_member(call, "id");
    fragment.name = string_member(call, "name");
    const std::size_t at =
        begin_call(assembly_.id_of(assembly_.begin(fragment).call), fragment.name, on_delta);
    add_arguments(at, args != call.end() && args->is_object() ? dump_kept(*args) : "{}", on_delta);
    const auto keep = [&](const char* where, const Json& from, std::initializer_list<std::string_view> own) {
      Json extra = Json::object();
      for (const auto& [name, value] : from.items()) {
        if (std::find(own.begin(), own.end(), name) == own.end() && says_something(value))
          extra[name] = value;
      }
      add_call_extra(at, where, extra);
    };
    keep(kGeminiCall, call, {"name", "args", "willContinue"});
    keep(kGeminiPart, part, {"functionCall"});
  }

  void on_finish(const Json& candidate) {
    const auto member = candidate.find("finishReason");
    if (member == candidate.end() || !says_something(*member)) return;
    const std::string reason = member->is_string() ? member->get<std::string>() : dump_kept(*member);
    constexpr std::array<std::string_view, 10> kFilters = {"SAFETY",
                                                           "RECITATION",
                                                           "BLOCKLIST",
                                                           "PROHIBITED_CONTENT",
                                                           "SPII",
                                                           "MODEL_ARMOR",
                                                           "IMAGE_SAFETY",
                                                           "IMAGE_PROHIBITED_CONTENT",
                                                           "IMAGE_RECITATION",
                                                           "JAILBREAK"};
    // The model wrote what its own server could not read: another attempt may be better.
    constexpr std::array<std::string_view, 3> kMalformed = {"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE",
                                                            "UNEXPECTED_TOOL_CALL"};
    const std::string why = string_member(candidate, "finishMessage");
    const std::string told = reason + (why.empty() ? "" : ": " + why);
    if (reason == "FINISH_REASON_UNSPECIFIED") return;
    if (reason == "STOP") {
      stop(completion_.message.tool_calls.empty() ? StopReason::kEnd : StopReason::kToolCalls);
    } else if (reason == "MAX_TOKENS") {
      stop(StopReason::kMaxTokens);
    } else if (std::find(kFilters.begin(), kFilters.end(), reason) != kFilters.end()) {
      fail_with(ErrorKind::kContentFilter, "the model's content filter stopped the answer (" + told + ")",
                reason);
    } else if (std::find(kMalformed.begin(), kMalformed.end(), reason) != kMalformed.end()) {
      fail_with(ErrorKind::kStreamCut,
                "the model wrote something that its server could not read (" + told + ")", reason);
    } else {
      stop_unknown(reason);
    }
  }

  // What was thought, and what the provider's own tools read, is not among the counts of answer and prompt.
  void on_usage(const Json& usage) {
    count(usage, "promptTokenCount", prompt_);
    count(usage, "toolUsePromptTokenCount", tools_);
    count(usage, "candidatesTokenCount", answer_);
    count(usage, "cachedContentTokenCount", completion_.usage.cached_input_tokens);
    count(usage, "thoughtsTokenCount", completion_.usage.reasoning_tokens);
    completion_.usage.input_tokens = prompt_ + tools_;
    completion_.usage.output_tokens = answer_ + completion_.usage.reasoning_tokens;
  }

  CallAssembly assembly_;
  std::optional<std::size_t> text_;     // the text that goes on
  std::optional<std::size_t> thought_;  // the block that goes on
  bool whole_ = false;
  std::int64_t prompt_ = 0;  // tokens
  std::int64_t tools_ = 0;
  std::int64_t answer_ = 0;
};

std::unique_ptr<Decoder> decoder() {
  return std::make_unique<GeminiDecoder>();
}

}  // namespace

constinit const Provider kGemini = whole({.name = "gemini",
                                          .default_url = "https://generativelanguage.googleapis.com/v1beta",
                                          .path = "/models",
                                          .path_of = path_of,
                                          .headers = headers,
                                          .encode = encode,
                                          .decoder = decoder,
                                          .classify_error = classify_error,
                                          .adapt = adapt});

}  // namespace holdfast::model
