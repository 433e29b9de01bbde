#include "net/multipart.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace holdfast::net {

namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046, section 5.1.1
constexpr std::size_t kMaxPartHead = 8 * 1024;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The next `name=value` behind a semicolon; the value without its quotes.
struct Parameter {
  std::string name;
  std::string value;
};
std::optional<Parameter> next_parameter(std::string_view& rest) {
  const std::size_t semicolon = rest.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  rest = trimmed(rest.substr(semicolon + 1));
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Parameter out;
  out.name = ascii_lower(trimmed(rest.substr(0, equals)));
  rest.remove_prefix(equals + 1);
  if (!rest.starts_with('"')) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    out.value = trimmed(rest.substr(0, end));
    rest.remove_prefix(end);
    return out;
  }
  std::size_t at = 1;
  for (; at < rest.size() && rest[at] != '"'; ++at) {
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    out.value += rest[at];
  }
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return out;
}

std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  while (auto one = next_parameter(value)) {
    if (one->name == name) return std::move(one->value);
  }
  return std::nullopt;
}

// Of names a browser escapes these three and nothing else (HTML, "multipart/form-data encoding algorithm").
std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view three = text.substr(0, 3);
    const char plain = three == "%22" ? '"' : three == "%0D" ? '\r' : three == "%0A" ? '\n' : '\0';
    out += plain != '\0' ? plain : text.front();
    text.remove_prefix(plain != '\0' ? 3 : 1);
  }
  return out;
}

std::string last_of_path(std::string name) {
  const std::size_t slash = name.find_last_of("/\\");
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

Result<FormPart> read_part(std::string_view text) {
  const std::size_t head_end = text.starts_with("\r\n") ? 0 : text.find("\r\n\r\n");
  if (head_end == std::string_view::npos || head_end > kMaxPartHead)
    return fail(Code::kInvalidArgument, "a part of the form has no head that ends");
  FormPart out;
  out.body = text.substr(head_end == 0 ? 2 : head_end + 4);
  std::string_view head = text.substr(0, head_end);
  bool named = false;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos ||
        ascii_lower(trimmed(line.substr(0, colon))) != "content-disposition")
      continue;
    const std::string_view value = line.substr(colon + 1);
    const auto name = parameter(value, "name");
    named = name.has_value();
    if (named) out.name = unescaped(*name);
    if (auto file = parameter(value, "filename")) out.filename = last_of_path(unescaped(*file));
  }
  if (!named) return fail(Code::kInvalidArgument, "a part of the form has no name");
  return out;
}

}  // namespace

Result<std::vector<FormPart>> read_form_parts(std::string_view content_type, std::string_view body) {
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary)
    return fail(Code::kInvalidArgument, "multipart/form-data has a `boundary` of 1 to 70 characters");
  const std::string first = "--" + *boundary;
  const std::string between = "\r\n" + first;
  if (!body.starts_with(first)) return fail(Code::kInvalidArgument, "the form does not begin with its boundary");
  body.remove_prefix(first.size());
  std::vector<FormPart> out;
  while (true) {
    if (body.starts_with("--")) return out;  // what stands behind the end means nothing
    if (!body.starts_with("\r\n"))
      return fail(Code::kInvalidArgument, "what follows a boundary is neither a part nor the end");
    body.remove_prefix(2);
    const std::size_t end = body.find(between);
    if (end == std::string_view::npos) return fail(Code::kInvalidArgument, "the form does not end");
    if (out.size() == kMaxFormParts)
      return fail(Code::kInvalidArgument, fmt::format("a form has at most {} parts", kMaxFormParts));
    auto part = read_part(body.substr(0, end));
    if (!part) return fail(part.error());
    out.push_back(*std::move(part));
    body.remove_prefix(end + between.size());
  }
}

}  // namespace holdfast::net
