#include "openai/request.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "openai/errors.h"
#include "openai/fields.h"
#include "openai/ids.h"
#include "runs/runs.h"

namespace holdfast::openai {

namespace {

using net::Problem;

constexpr std::size_t kMaxModelBytes = 400;  // a name and a version
constexpr std::size_t kMaxResponseIdBytes = runs::kMaxIdBytes + 16;
constexpr std::size_t kMaxInstructionsBytes = 1 << 20;

std::expected<std::string, Problem> model_of(const Json& body) {
  auto model = text(body, "model", kMaxModelBytes);
  if (model && model->empty())
    return std::unexpected(
        wrong("model", "missing_required_parameter", "Missing required parameter: 'model'.")
            .hint("the name of an agent; GET /v1/models lists them"));
  return model;
}

// What both have in common.
std::optional<Problem> read_common(const Json& body, std::span<const Field> fields, Asked& out) {
  if (auto problem = check_fields(body, fields)) return problem;
  auto model = model_of(body);
  if (!model) return model.error();
  out.model = *std::move(model);
  auto stream = flag(body, "stream");
  if (!stream) return stream.error();
  out.stream = *stream;
  auto store = flag(body, "store", true);
  if (!store) return store.error();
  out.store = *store;
  if (!out.store) out.kept["store"] = false;
  auto pairs = metadata(body);
  if (!pairs) return pairs.error();
  if (!pairs->is_null()) out.kept["metadata"] = nlohmann::json(*pairs);
  return std::nullopt;
}

// `include_obfuscation` is taken without effect: nothing here hides the length of a piece.
std::optional<Problem> read_stream_options(const Json& body, Asked& out, bool has_usage) {
  const auto options = body.find("stream_options");
  if (options == body.end() || options->is_null()) return std::nullopt;
  if (!options->is_object())
    return wrong("stream_options", "invalid_type", "'stream_options' must be an object");
  if (!out.stream && has_usage && !options->empty())
    return wrong("stream_options", "invalid_value", "'stream_options' is for a request with stream: true");
  for (const auto& [name, value] : options->items()) {
    if (name == "include_obfuscation") continue;
    if (name == "include_usage" && has_usage) continue;
    return wrong("stream_options." + name, "unknown_parameter",
                 fmt::format("Unknown parameter: 'stream_options.{}'.", name));
  }
  if (!has_usage) return std::nullopt;
  auto usage = flag(*options, "include_usage");
  if (!usage) return usage.error();
  out.include_usage = *usage;
  return std::nullopt;
}

// "customer-7", or {"id": "customer-7"}.
std::optional<Problem> read_conversation(const Json& body, Asked& out) {
  const auto found = body.find("conversation");
  if (found == body.end() || found->is_null()) return std::nullopt;
  const Json holder = found->is_object() ? *found : Json{{"id", *found}};
  auto id = text(holder, "id", runs::kMaxIdBytes);
  if (!id || id->empty() || !runs::is_valid_run_id(*id))
    return wrong("conversation", "invalid_value",
                 "'conversation' is the name of one: letters, digits, and - _ . : @");
  out.conversation = *std::move(id);
  return std::nullopt;
}

std::optional<Problem> read_previous(const Json& body, Asked& out) {
  auto previous = text(body, "previous_response_id", kMaxResponseIdBytes);
  if (!previous) return previous.error();
  if (previous->empty()) return std::nullopt;
  if (!out.conversation.empty())
    return wrong("previous_response_id", "invalid_value",
                 "'previous_response_id' and 'conversation' both say where to go on; give one of them");
  const auto run = run_of_response(*previous);
  if (!run)
    return Problem(404, "previous_response_not_found",
                   fmt::format("Previous response with id '{}' not found.", *previous))
        .member("param", R"("previous_response_id")");
  out.previous = *run;
  out.kept["previous_response_id"] = *previous;
  return std::nullopt;
}

std::optional<Problem> read_background(const Json& body, Asked& out) {
  auto background = flag(body, "background");
  if (!background) return background.error();
  out.background = *background;
  if (!out.background) return std::nullopt;
  out.kept["background"] = true;
  if (out.store) return std::nullopt;
  return wrong("background", "invalid_value", "'background' needs 'store' to be true")
      .hint("a response that is not stored cannot be fetched when it is over");
}

// More that a response may have of what it did. Of what agents do not show as items there is nothing more to
// say: nobody misses it who asks for it.
std::optional<Problem> read_include(const Json& body) {
  const auto include = body.find("include");
  if (include == body.end() || include->is_null()) return std::nullopt;
  if (!include->is_array()) return wrong("include", "invalid_type", "'include' must be a list");
  constexpr std::string_view kOfOtherItems[] = {
      "reasoning.encrypted_content",
      "code_interpreter_call.outputs",
      "computer_call_output.output.image_url",
      "file_search_call.results",
      "web_search_call.results",
      "web_search_call.action.sources",
      "message.input_image.image_url",
  };
  for (const Json& one : *include) {
    if (one == "message.output_text.logprobs")
      return wrong("include", "unsupported_parameter",
                   "Unsupported parameter: 'include' cannot have 'message.output_text.logprobs'.")
          .hint("an agent has none");
    if (!one.is_string() || std::ranges::find(kOfOtherItems, one.get_ref<const std::string&>()) ==
                                std::ranges::end(kOfOtherItems))
      return wrong("include", "invalid_value", fmt::format("'include' has no {}", dump_json(one)))
          .hint("docs/guide/openai-clients.md lists what is taken");
  }
  return std::nullopt;
}

}  // namespace

std::expected<Asked, Problem> read_chat(const Json& body) {
  Asked out;
  if (auto problem = read_common(body, chat_fields(), out)) return std::unexpected(*std::move(problem));
  if (auto problem = read_stream_options(body, out, true)) return std::unexpected(*std::move(problem));
  if (!body.contains("messages"))
    return std::unexpected(
        wrong("messages", "missing_required_parameter", "Missing required parameter: 'messages'."));
  auto said = Said::of_messages(body["messages"]);
  if (!said) return std::unexpected(said.error());
  out.input = said->input();
  out.history = said->history();
  return out;
}

std::expected<Asked, Problem> read_response(const Json& body) {
  Asked out;
  if (auto problem = read_common(body, response_fields(), out)) return std::unexpected(*std::move(problem));
  for (auto read : {read_conversation, read_previous}) {
    if (auto problem = read(body, out)) return std::unexpected(*std::move(problem));
  }
  if (auto problem = read_stream_options(body, out, false)) return std::unexpected(*std::move(problem));
  if (auto problem = read_background(body, out)) return std::unexpected(*std::move(problem));
  if (auto problem = read_include(body)) return std::unexpected(*std::move(problem));
  if (!out.store && !out.conversation.empty())
    return std::unexpected(
        wrong("conversation", "invalid_value", "'conversation' needs 'store' to be true: it is kept")
            .hint("send what was said before as `input`"));
  auto instructions = text(body, "instructions", kMaxInstructionsBytes);
  if (!instructions) return std::unexpected(instructions.error());
  if (!instructions->empty()) out.kept["instructions"] = *instructions;
  if (out.model.find('@') != std::string::npos) out.kept["model"] = out.model;
  if (!body.contains("input"))
    return std::unexpected(
        wrong("input", "missing_required_parameter", "Missing required parameter: 'input'."));
  auto said = Said::of_input(body["input"], *instructions);
  if (!said) return std::unexpected(said.error());
  out.input = said->input();
  out.history = said->history();
  if (!out.history.empty() && !(out.previous.empty() && out.conversation.empty()))
    return std::unexpected(
        wrong("input", "invalid_value",
              "what was said before stands in the conversation already: send what is new"));
  return out;
}

}  // namespace holdfast::openai
