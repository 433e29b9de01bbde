#include "protocol/agent_reference.h"

#include <algorithm>

namespace holdfast::protocol {

namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

bool is_label(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= kMaxLabelBytes && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, fits) && !std::ranges::all_of(text, is_hex);
}

bool is_version_beginning(std::string_view text) {
  return text.size() >= kMinVersionDigits && text.size() <= kVersionDigits &&
         std::ranges::all_of(text, is_hex);
}

Result<AgentReference> parse_agent_reference(std::string_view text) {
  AgentReference out;
  const std::size_t at = text.find('@');
  out.agent = std::string(text.substr(0, at));
  if (at == std::string_view::npos) return out;
  out.version = std::string(text.substr(at + 1));
  if (is_label(out.version) || is_version_beginning(out.version)) return out;
  return fail(Code::kInvalidArgument,
              "'" + std::string(text.substr(0, 200)) +
                  "': behind the @ stands a label (lower-case letters, digits and -, not only hex digits) or "
                  "a version (its first 6 to 64 hex digits)");
}

}  // namespace holdfast::protocol
