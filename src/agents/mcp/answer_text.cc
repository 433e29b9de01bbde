#include "mcp/answer_text.h"

#include <fmt/format.h>

#include "base/json.h"

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
  const std::string type = text_at(block, "type");
  if (type == "text") return text_at(block, "text");
  if (type == "image" || type == "audio") return binary(type, block, "data");
  if (type == "resource") return resource(block);
  if (type == "resource_link") {
    const std::string about = text_at(block, "description");
    return fmt::format("(resource {}: {}{}{})", text_at(block, "name"), text_at(block, "uri"),
                       about.empty() ? "" : ", ", about);
  }
  return fmt::format("(content of the kind `{}`)", type);
}

}  // namespace

std::string answer_text(const Json& result) {
  std::string out;
  bool says_the_same = false;
  const auto structured = result.find("structuredContent");
  const auto content = result.find("content");
  if (content != result.end() && content->is_array()) {
    for (const Json& block : *content) {
      const std::string text = block_text(block);
      if (structured != result.end() && text_at(block, "type") == "text" && parse_json(text) == *structured)
        says_the_same = true;
      if (!out.empty()) out += '\n';
      out += text;
    }
  }
  if (structured != result.end() && !structured->is_null() && !says_the_same) {
    if (!out.empty()) out += '\n';
    out += dump_json(*structured);
  }
  return out;
}

bool is_failure(const Json& result) {
  const auto member = result.find("isError");
  return member != result.end() && member->is_boolean() && member->get<bool>();
}

}  // namespace holdfast::mcp
