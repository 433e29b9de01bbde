#include "openai/fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "openai/errors.h"

namespace holdfast::openai {

namespace {

using net::Problem;

constexpr std::size_t kMaxPairs = 16;
constexpr std::size_t kMaxKeyBytes = 64;
constexpr std::size_t kMaxValueBytes = 512;

constexpr std::string_view kTools = "the agent's definition has its tools: docs/guide/agents.md";
constexpr std::string_view kForm = "the agent's definition says it with `output_schema`";

constexpr Field owned(std::string_view name) {
  return {name, Taken::kOwned};
}

constexpr Field unless(std::string_view name, std::string_view fine, std::string_view why) {
  return {name, Taken::kUnless, fine, why};
}

constexpr Field kChat[] = {
    {"model"},
    {"messages"},
    {"stream"},
    {"stream_options"},
    {"metadata"},
    {"store"},
    owned("temperature"),
    owned("top_p"),
    owned("top_k"),
    owned("min_p"),
    owned("frequency_penalty"),
    owned("presence_penalty"),
    owned("repetition_penalty"),
    owned("max_tokens"),
    owned("max_completion_tokens"),
    owned("seed"),
    owned("logit_bias"),
    owned("user"),
    owned("safety_identifier"),
    owned("prompt_cache_key"),
    owned("prompt_cache_retention"),
    owned("prompt_cache_options"),
    owned("service_tier"),
    owned("parallel_tool_calls"),
    owned("reasoning_effort"),
    owned("verbosity"),
    owned("prediction"),
    unless("n", "1", "ask several times"),
    unless("stop", "null", "an agent says when it is done"),
    unless("logprobs", "false", "an agent has none"),
    unless("top_logprobs", "0", "an agent has none"),
    unless("response_format", R"({"type":"text"})", kForm),
    unless("tools", "[]", kTools),
    unless("tool_choice", R"("auto")", kTools),
    unless("functions", "[]", kTools),
    unless("function_call", R"("auto")", kTools),
    unless("modalities", R"(["text"])", "an agent answers with text"),
    unless("audio", "null", "an agent answers with text"),
    unless("web_search_options", "null", kTools),
    unless("moderation", "null", "there is none"),
};

constexpr Field kResponses[] = {
    {"model"},
    {"input"},
    {"instructions"},
    {"stream"},
    {"stream_options"},
    {"background"},
    {"previous_response_id"},
    {"conversation"},
    {"metadata"},
    {"store"},
    {"include"},
    owned("temperature"),
    owned("top_p"),
    owned("presence_penalty"),
    owned("frequency_penalty"),
    owned("max_output_tokens"),
    owned("parallel_tool_calls"),
    owned("reasoning"),
    owned("user"),
    owned("safety_identifier"),
    owned("prompt_cache_key"),
    owned("prompt_cache_retention"),
    owned("prompt_cache_options"),
    owned("service_tier"),
    owned("truncation"),
    unless("tools", "[]", kTools),
    unless("tool_choice", R"("auto")", kTools),
    unless("max_tool_calls", "null", "`limits` and `budgets` of the agent's definition say it"),
    unless("top_logprobs", "0", "an agent has none"),
    unless("text", "null", kForm),
    unless("prompt", "null", "the agent's definition is its prompt"),
    unless("moderation", "null", "there is none"),
    unless("context_management", "null", "`context` of the agent's definition says it"),
};

bool says_nothing(const Json& value) {
  if (value.is_null()) return true;
  return (value.is_array() || value.is_object() || value.is_string()) && value.empty();
}

// `text` without a form for the answer is how much to say, which the agent's definition does.
bool is_plain_text(const Json& value) {
  if (!value.is_object()) return false;
  const auto format = value.find("format");
  return format == value.end() || says_nothing(*format) || *format == Json{{"type", "text"}};
}

}  // namespace

std::span<const Field> chat_fields() {
  return kChat;
}

std::span<const Field> response_fields() {
  return kResponses;
}

std::optional<Problem> check_fields(const Json& body, std::span<const Field> fields) {
  for (const auto& [name, value] : body.items()) {
    const auto field = std::ranges::find(fields, name, &Field::name);
    if (field == fields.end()) {
      return wrong(name, "unknown_parameter", fmt::format("Unknown parameter: '{}'.", name))
          .hint("docs/guide/openai-clients.md lists what is taken");
    }
    if (field->taken != Taken::kUnless || says_nothing(value)) continue;
    if (value == parse_json<Json>(field->fine) || (name == "text" && is_plain_text(value))) continue;
    return wrong(name, "unsupported_parameter",
                 fmt::format("Unsupported parameter: '{}' cannot be honoured by an agent.", name))
        .hint(std::string(field->why));
  }
  return std::nullopt;
}

std::expected<bool, Problem> flag(const Json& body, const char* name, bool fallback) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return fallback;
  if (found->is_boolean()) return found->get<bool>();
  return std::unexpected(wrong(name, "invalid_type", fmt::format("'{}' must be true or false", name)));
}

std::expected<std::string, Problem> text(const Json& body, const char* name, std::size_t max_bytes) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::string();
  if (!found->is_string())
    return std::unexpected(wrong(name, "invalid_type", fmt::format("'{}' must be a string", name)));
  if (const std::size_t bytes = found->get_ref<const std::string&>().size(); bytes > max_bytes) {
    return std::unexpected(
        wrong(name, "string_above_max_length",
              fmt::format("'{}' has {} bytes, at most {} are accepted", name, bytes, max_bytes)));
  }
  return found->get<std::string>();
}

std::expected<Json, Problem> metadata(const Json& body) {
  const auto found = body.find("metadata");
  if (found == body.end() || found->is_null()) return Json();
  const auto invalid = [](std::string what) {
    return std::unexpected(wrong("metadata", "invalid_type", "'metadata' " + std::move(what)));
  };
  if (!found->is_object()) return invalid("must be an object");
  if (found->size() > kMaxPairs) return invalid(fmt::format("has more than {} members", kMaxPairs));
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) return invalid("must have strings as values");
    if (key.size() > kMaxKeyBytes || value.get_ref<const std::string&>().size() > kMaxValueBytes)
      return invalid(
          fmt::format("has keys of at most {} and values of at most {} bytes", kMaxKeyBytes, kMaxValueBytes));
  }
  return found->empty() ? Json() : *found;
}

}  // namespace holdfast::openai
