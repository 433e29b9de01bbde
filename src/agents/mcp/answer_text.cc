#include "mcp/answer_text.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/kept_numbers.h"

namespace holdfast::mcp {

namespace {

std::size_t decoded_size(const std::string& base64) {
  std::size_t size = base64.size();
  while (size > 0 && base64[size - 1] == '=') --size;
  return size * 3 / 4;
}

std::string binary(std::string_view kind, const Json& block, const char* data) {
  return fmt::format("({}: {}, {} bytes)", kind, text_at(block, "mimeType"),
                     decoded_size(text_at(block, data)));
}

std::string resource(const Json& block) {
  const Json inner = block.contains("resource") ? block["resource"] : Json();
  const std::string uri = text_at(inner, "uri");
  if (inner.is_object() && inner.contains("text")) return fmt::format("{}:\n{}", uri, text_at(inner, "text"));
  return fmt::format("{} {}", uri, binary("resource", inner, "blob"));
}

std::string block_text(const Json& block) {
  if (block.is_string()) return block.get<std::string>();
  const std::string type = text_at(block, "type");
  const std::string text = text_at(block, "text");
  if (type == "text" || (type.empty() && !text.empty()))
    return text.empty() && block.contains("text") && !block["text"].is_string() ? dump_json(block["text"])
                                                                                : text;
  if (type == "image" || type == "audio") return binary(type, block, "data");
  if (type == "resource") return resource(block);
  if (type == "resource_link") {
    const std::string about = text_at(block, "description");
    return fmt::format("(resource {}: {}{}{})", text_at(block, "name"), text_at(block, "uri"),
                       about.empty() ? "" : ", ", about);
  }
  return fmt::format("(content of the kind `{}`)", type);
}

// Whether `text` is the same JSON as `value`, which is written as `written`. Numbers of more than 64 bits are
// compared as they are written.
bool says_the_same(const std::string& text, const Json& value, const std::string& written) {
  if (parse_json(text) != value) return false;
  const auto is_exact = [](const std::string& json) {
    return read_json(json, kMaxJsonDepth, Integers::kExact).has_value();
  };
  return (is_exact(text) && is_exact(written)) || dump_kept(parse_kept(text)) == written;
}

std::string content_text(const Json& content, const Json& structured, const std::string& written,
                         bool& same) {
  if (!content.is_array()) return content.is_string() || content.is_object() ? block_text(content) : "";
  std::string out;
  for (const Json& block : content) {
    const std::string text = block_text(block);
    if (!structured.is_null() && text_at(block, "type") == "text" && says_the_same(text, structured, written))
      same = true;
    if (!out.empty()) out += '\n';
    out += text;
  }
  return out;
}

// Neither kind of content, as before 2024-11-05 and with tasks: what there is.
std::string other_text(const Json& result) {
  Json rest = Json::object();
  for (const auto& [name, value] : result.items()) {
    if (name != "_meta" && name != "isError" && name != "resultType" && !value.is_null()) rest[name] = value;
  }
  return rest.empty() ? "" : dump_json(rest);
}

}  // namespace

std::string answer_text(const Json& result) {
  const Json structured = result.value("structuredContent", Json());
  const Json content = result.value("content", Json());
  std::string written = text_at(result, kStructuredAsWritten);
  if (written.empty() && !structured.is_null()) written = dump_json(structured);
  bool same = false;
  std::string out = content_text(content, structured, written, same);
  if (!structured.is_null() && !same) {
    if (!out.empty()) out += '\n';
    out += written;
  }
  const bool known = content.is_structured() || content.is_string() || !structured.is_null();
  return known ? out : other_text(result);
}

bool is_failure(const Json& result) {
  const auto member = result.find("isError");
  return member != result.end() && !member->is_null() && *member != false;
}

}  // namespace holdfast::mcp
