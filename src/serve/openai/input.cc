#include "openai/input.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_member.h"
#include "base/paragraphs.h"
#include "openai/errors.h"

namespace holdfast::openai {

namespace {

using net::Problem;
using Parts = std::expected<Json, Problem>;

Json text_part(std::string text) {
  return {{"type", "text"}, {"text", std::move(text)}};
}

std::unexpected<Problem> bad(std::string_view param, std::string what) {
  return std::unexpected(wrong(param, "invalid_value", fmt::format("'{}' {}", param, what)));
}

// "data:image/png;base64,AAAA", or an address.
void put_source(Json& part, const std::string& source) {
  constexpr std::string_view kMark = ";base64,";
  const std::size_t mark = source.find(kMark);
  if (!source.starts_with("data:") || mark == std::string::npos) {
    part["url"] = source;
    return;
  }
  part["media_type"] = source.substr(5, mark - 5);
  part["data"] = source.substr(mark + kMark.size());
}

Parts image_of(const Json& part, std::string_view param) {
  const auto image = part.find("image_url");
  std::string source;
  if (image != part.end())
    source = image->is_object() ? string_member(*image, "url") : string_member(part, "image_url");
  if (source.empty()) return bad(param, "needs image_url: a URL, or data:TYPE;base64,...");
  Json out = {{"type", "image"}};
  put_source(out, source);
  return out;
}

Parts file_of(const Json& part, std::string_view param) {
  const auto nested = part.find("file");
  const Json& file = nested != part.end() && nested->is_object() ? *nested : part;
  std::string source = string_member(file, "file_data");
  if (source.empty()) source = string_member(file, "file_url");
  if (source.empty()) return bad(param, "needs file_data or file_url: there are no uploaded files here");
  Json out = {{"type", "file"}};
  if (const std::string name = string_member(file, "filename"); !name.empty()) out["name"] = name;
  put_source(out, source);
  return out;
}

Parts part_of(const Json& part, std::string_view param) {
  if (!part.is_object()) return bad(param, "must be an object");
  const std::string type = string_member(part, "type");
  if (type == "text" || type == "input_text" || type == "output_text") {
    if (!part.contains("text") || !part["text"].is_string()) return bad(param, "needs a text");
    return text_part(part["text"].get<std::string>());
  }
  if (type == "refusal") return text_part(string_member(part, "refusal"));
  if (type == "image_url" || type == "input_image") return image_of(part, param);
  if (type == "file" || type == "input_file") return file_of(part, param);
  return bad(param, fmt::format("is of type '{}': an agent takes text, images and files", type));
}

Parts parts_of(const Json& message, const std::string& param) {
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return Json::array();
  if (content->is_string()) {
    Json out = Json::array();
    if (!content->get_ref<const std::string&>().empty())
      out.push_back(text_part(content->get<std::string>()));
    return out;
  }
  if (!content->is_array()) return bad(param + ".content", "must be a string or a list of parts");
  Json out = Json::array();
  for (std::size_t i = 0; i < content->size(); ++i) {
    auto part = part_of((*content)[i], fmt::format("{}.content[{}]", param, i));
    if (!part) return part;
    out.push_back(*std::move(part));
  }
  return out;
}

// Marked, so that nobody takes it for what the agent's owner wrote.
Json marked(const Json& parts) {
  std::string text;
  for (const Json& part : parts) add_paragraph(text, string_member(part, "text"));
  return Json::array({text_part(std::string(kInstructions) + text)});
}

// What an agent did, when its client sends it back: it reads as what it is.
std::string call_text(const Json& item) {
  std::string text =
      fmt::format("[called {} with {}", string_member(item, "name"), string_member(item, "arguments"));
  if (const std::string output = string_member(item, "output"); !output.empty()) text += ": " + output;
  if (const std::string error = string_member(item, "error"); !error.empty()) text += ": failed: " + error;
  return text + "]";
}

// A text that begins as JSON does would be read as what it says.
std::string input_of(const Json& parts) {
  const bool plain = parts.size() == 1 && parts[0]["type"] == "text";
  if (plain && !parts[0]["text"].get_ref<const std::string&>().starts_with('{'))
    return dump_json(parts[0]["text"]);
  return dump_json(Json{{"content", parts}});
}

}  // namespace

std::optional<Problem> Said::add(bool user, Json parts, std::string_view param) {
  if (parts.empty()) return std::nullopt;
  if (turns_.empty() || turns_.back().user != user) {
    if (turns_.size() >= kMaxTurns)
      return wrong(param, "array_above_max_length",
                   fmt::format("more than {} turns in one request", kMaxTurns))
          .hint("go on with previous_response_id, or `conversation`");
    turns_.push_back({.user = user});
  }
  Json& all = turns_.back().parts;
  for (Json& part : parts) all.push_back(std::move(part));
  if (all.size() > kMaxParts)
    return wrong(param, "array_above_max_length", fmt::format("more than {} parts in one turn", kMaxParts));
  return std::nullopt;
}

// A paragraph of what the assistant said last, so that many calls are not many parts.
std::optional<Problem> Said::add_note(std::string text, std::string_view param) {
  const bool goes_on = !turns_.empty() && !turns_.back().user && !turns_.back().parts.empty() &&
                       turns_.back().parts.back()["type"] == "text";
  if (!goes_on) return add(false, Json::array({text_part(std::move(text))}), param);
  add_paragraph(turns_.back().parts.back()["text"].get_ref<std::string&>(), text);
  return std::nullopt;
}

// Of a function that the client called itself, for another model: an agent calls its own tools.
std::optional<Problem> Said::add_function_call(const Json& item, const std::string& param) {
  const std::string id = string_member(item, "call_id");
  const std::string name = string_member(item, "name");
  if (id.empty() || name.empty()) return bad(param, "needs a call_id and a name").error();
  called_[id] = name;
  return add_note(call_text({{"name", name}, {"arguments", string_member(item, "arguments")}}), param);
}

std::optional<Problem> Said::add_function_output(const Json& item, const std::string& param) {
  const auto call = called_.find(string_member(item, "call_id"));
  if (call == called_.end()) return bad(param + ".call_id", "is that of no function_call before it").error();
  const auto output = item.find("output");
  auto parts = parts_of({{"content", output == item.end() ? Json() : *output}}, param + ".output");
  if (!parts) return parts.error();
  std::string text;
  Json others = Json::array();
  for (Json& part : *parts) {
    if (part["type"] == "text") {
      add_paragraph(text, part["text"].get_ref<const std::string&>());
    } else {
      others.push_back(std::move(part));
    }
  }
  if (auto problem = add_note(fmt::format("[{} gave: {}]", call->second, text), param)) return problem;
  return add(true, std::move(others), param);  // models are shown images by users
}

std::optional<Problem> Said::add_message(const Json& message, const std::string& param) {
  if (!message.is_object()) return bad(param, "must be an object").error();
  const std::string role = string_member(message, "role");
  for (const char* call : {"tool_calls", "function_call", "audio"}) {
    if (message.contains(call) && !message[call].is_null() && !message[call].empty())
      return bad(param + "." + call, "is not taken: the agent's own tools are the only ones").error();
  }
  auto parts = parts_of(message, param);
  if (!parts) return parts.error();
  if (role == "user") return add(true, *std::move(parts), param);
  if (role == "assistant") return add(false, *std::move(parts), param);
  if (role == "system" || role == "developer") {
    for (const Json& part : *parts) {
      if (part["type"] != "text") return bad(param + ".content", "of this role is text").error();
    }
    return parts->empty() ? std::nullopt : add(true, marked(*parts), param);
  }
  return bad(param + ".role", fmt::format("is '{}': user, assistant, system or developer", role)).error();
}

std::optional<Problem> Said::add_item(const Json& item, const std::string& param) {
  if (!item.is_object()) return bad(param, "must be an object").error();
  const std::string type = item.contains("type") ? string_member(item, "type") : "message";
  if (type == "message") return add_message(item, param);
  if (type == "mcp_call" || type == "mcp_approval_request") return add_note(call_text(item), param);
  if (type == "function_call") return add_function_call(item, param);
  if (type == "function_call_output") return add_function_output(item, param);
  // Of another model, which alone can read what it thought; agents give none out.
  if (type == "reasoning") return std::nullopt;
  if (type == "mcp_approval_response")
    return wrong(param, "invalid_value", "approvals are not answered here")
        .hint("POST /api/v1/approvals/ID/decision; ID is that of the request without mcpr_");
  return wrong(param + ".type", "invalid_value", fmt::format("an agent takes no item of type '{}'", type))
      .hint("go on with previous_response_id, which knows everything that was done");
}

std::optional<Problem> Said::finish(std::string_view param, const std::string& instructions) {
  if (turns_.empty() || !turns_.back().user)
    return wrong(param, "invalid_value", fmt::format("'{}' must end with what the user says", param));
  Turn last = std::move(turns_.back());
  turns_.pop_back();
  if (!instructions.empty())
    last.parts.insert(last.parts.begin(), text_part(std::string(kInstructions) + instructions));
  for (Turn& turn : turns_)
    history_.push_back(
        dump_json(Json{{"role", turn.user ? "user" : "assistant"}, {"content", std::move(turn.parts)}}));
  turns_.clear();
  input_ = input_of(last.parts);
  return std::nullopt;
}

std::expected<Said, Problem> Said::of_messages(const Json& messages) {
  if (!messages.is_array() || messages.empty())
    return std::unexpected(wrong("messages", "invalid_type", "'messages' must be a list, not empty"));
  Said out;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (auto problem = out.add_message(messages[i], fmt::format("messages[{}]", i)))
      return std::unexpected(*std::move(problem));
  }
  if (auto problem = out.finish("messages", "")) return std::unexpected(*std::move(problem));
  return out;
}

std::expected<Said, Problem> Said::of_input(const Json& input, const std::string& instructions) {
  Said out;
  if (input.is_string()) {
    const auto& text = input.get_ref<const std::string&>();
    if (!text.empty()) (void)out.add(true, Json::array({text_part(text)}), "input");
  } else if (input.is_array()) {
    for (std::size_t i = 0; i < input.size(); ++i) {
      if (auto problem = out.add_item(input[i], fmt::format("input[{}]", i)))
        return std::unexpected(*std::move(problem));
    }
  } else {
    return std::unexpected(wrong("input", "invalid_type", "'input' must be text or a list of items"));
  }
  if (auto problem = out.finish("input", instructions)) return std::unexpected(*std::move(problem));
  return out;
}

Json input_item(std::string_view role, const std::string& input, const std::string& id) {
  const bool user = role == "user";
  const char* text = user ? "input_text" : "output_text";
  const Json read = parse_or_string<Json>(input);
  Json content = Json::array();
  if (read.is_object() && read.size() == 1 && read.contains("content") && read["content"].is_array()) {
    for (const Json& part : read["content"]) {
      if (!part.is_object()) continue;
      const std::string source = part.contains("url")
                                     ? string_member(part, "url")
                                     : fmt::format("data:{};base64,{}", string_member(part, "media_type"),
                                                   string_member(part, "data"));
      if (string_member(part, "type") == "image") {
        content.push_back({{"type", "input_image"}, {"image_url", source}, {"detail", "auto"}});
      } else if (string_member(part, "type") == "file") {
        content.push_back(
            {{"type", "input_file"}, {"filename", string_member(part, "name")}, {"file_data", source}});
      } else {
        content.push_back({{"type", text}, {"text", string_member(part, "text")}});
      }
    }
  } else {
    content.push_back(
        {{"type", text}, {"text", read.is_string() ? read.get<std::string>() : dump_json(read)}});
  }
  if (!user) {
    for (Json& part : content) part["annotations"] = Json::array();
  }
  return {{"id", id},
          {"type", "message"},
          {"role", role},
          {"status", "completed"},
          {"content", std::move(content)}};
}

Json history_item(const std::string& message, const std::string& id) {
  const Json read = parse_json<Json>(message);
  if (!read.is_object() || !read.contains("content")) return nullptr;
  return input_item(string_member(read, "role"), dump_json(Json{{"content", read["content"]}}), id);
}

}  // namespace holdfast::openai
