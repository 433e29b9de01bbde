#include "model/resend.h"

#include <algorithm>

#include "base/json.h"

namespace holdfast::model {

namespace {

constexpr std::size_t kMaxIdBytes = 40;
constexpr std::size_t kMaxNameBytes = 64;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// One _ for each character that is not plain, not for each of its bytes.
std::string plain(std::string_view text, std::size_t limit) {
  std::string out;
  for (const char c : text) {
    if (out.size() == limit) break;
    if (is_plain(c)) {
      out += c;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      out += '_';
    }
  }
  return out;
}

}  // namespace

std::string ResentCalls::open(const ToolCall& call, bool from_here) {
  std::string id = from_here ? call.id : plain(call.id, kMaxIdBytes);
  if (id.empty()) id = "call";
  const std::string base = from_here ? id : id.substr(0, kMaxIdBytes - 12);
  while (!used_.insert(id).second) id = base + "_" + std::to_string(++made_up_);
  open_.emplace_back(call.id, id);
  return id;
}

std::optional<std::string> ResentCalls::answer(const std::string& tool_call_id) {
  const auto found =
      std::find_if(open_.begin(), open_.end(), [&](const auto& ids) { return ids.first == tool_call_id; });
  if (found == open_.end()) return std::nullopt;
  std::string id = std::move(found->second);
  open_.erase(found);
  return id;
}

std::vector<std::string> ResentCalls::take_unanswered() {
  std::vector<std::string> out;
  for (auto& ids : open_) out.push_back(std::move(ids.second));
  open_.clear();
  return out;
}

bool is_plain_id(std::string_view id) {
  return id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), is_plain);
}

std::string resent_name(std::string_view name) {
  std::string out = plain(name, kMaxNameBytes);
  return out.empty() ? "unnamed" : out;
}

std::string resent_arguments(const std::string& arguments) {
  if (arguments.empty()) return "{}";
  if (parse_json<nlohmann::ordered_json>(arguments).is_object()) return arguments;
  return dump_json(nlohmann::ordered_json{{"invalid_arguments", arguments}});
}

std::string resent_orphan(const Message& answer) {
  return "A tool answered a call that is not part of this conversation: " + answer.text();
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

}  // namespace holdfast::model
