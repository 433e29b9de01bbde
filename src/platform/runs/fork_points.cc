#include "runs/fork_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/json_member.h"
#include "base/sha256.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kPage = 50;

Speaker speaker_of(const std::string& role) {
  if (role == "user") return Speaker::kUser;
  if (role == "assistant") return Speaker::kAssistant;
  return role == "tool" ? Speaker::kTool : Speaker::kOther;
}

// What an idempotency key is made of: the order of keys and spaces say nothing.
std::string hash_of(const std::string& arguments) {
  const Json json = parse_json<Json>(arguments.empty() ? "{}" : arguments);
  return sha256_hex(json.is_discarded() ? arguments : dump_json(json));
}

}  // namespace

Line line_of(const platform::Message& message) {
  Line out;
  out.sequence = message.sequence;
  const Json json = parse_json<Json>(message.json);
  if (!json.is_object()) return out;
  out.speaker = speaker_of(string_member(json, "role"));
  out.answers = string_member(json, "tool_call_id");
  const auto calls = json.find("tool_calls");
  if (calls == json.end() || !calls->is_array()) return out;
  for (const Json& call : *calls) {
    if (!call.is_object()) continue;
    AskedCall one;
    one.message = message.sequence;
    one.id = string_member(call, "id");
    one.tool = string_member(call, "name");
    one.arguments = string_member(call, "arguments");
    one.arguments_sha256 = hash_of(one.arguments);
    out.calls.push_back(std::move(one));
  }
  return out;
}

Result<Line> Points::at(std::uint64_t sequence) {
  auto read = store_.read(head_, sequence, sequence);
  if (!read) return fail(read.error());
  if (read->size() != 1)
    return fail(Code::kDataLoss,
                fmt::format("conversation {}: message {} is missing", head_.conversation, sequence));
  return line_of(read->front());
}

Result<platform::Reference> Points::reference(std::uint64_t sequence) {
  platform::Reference out = head_;
  if (sequence == head_.sequence) return out;
  out.sequence = sequence;
  out.sha256.clear();
  if (sequence == 0) return out;
  auto read = store_.read(head_, sequence, sequence);
  if (!read) return fail(read.error());
  if (read->size() != 1)
    return fail(Code::kDataLoss,
                fmt::format("conversation {}: message {} is missing", head_.conversation, sequence));
  out.sha256 = read->front().chain_sha256;
  return out;
}

Status Points::each(std::uint64_t first, const std::function<bool(const Line&)>& take) {
  std::uint64_t page = kPage;
  for (std::uint64_t next = std::max<std::uint64_t>(first, 1); next <= head_.sequence;) {
    auto read = store_.read(head_, next, next + page - 1);
    // Large ones come one by one.
    if (!read && read.error().code() == Code::kResourceExhausted && page > 1) {
      page = 1;
      continue;
    }
    if (!read) return read.error();
    if (read->empty()) break;
    for (const platform::Message& message : *read) {
      if (!take(line_of(message))) return {};
    }
    next = read->back().sequence + 1;
  }
  return {};
}

Result<bool> Points::is_whole(std::uint64_t sequence) {
  if (sequence == 0) return true;
  auto line = at(sequence);
  if (!line) return fail(line.error());
  if (!line->calls.empty()) return false;
  if (sequence == head_.sequence) return true;
  // The answers of a turn are added at once, so what is behind the last one is none.
  auto next = at(sequence + 1);
  if (!next) return fail(next.error());
  return next->speaker != Speaker::kTool;
}

Result<std::uint64_t> Points::whole_before(std::uint64_t sequence) {
  for (; sequence > 0; --sequence) {
    auto whole = is_whole(sequence);
    if (!whole) return fail(whole.error());
    if (*whole) break;
  }
  return sequence;
}

Result<std::uint64_t> Points::end_of_turn(std::uint64_t sequence) {
  std::uint64_t end = sequence;
  Status read = each(sequence + 1, [&](const Line& line) {
    if (line.speaker != Speaker::kTool) return false;
    end = line.sequence;
    return true;
  });
  if (!read.ok()) return fail(std::move(read));
  return end;
}

}  // namespace holdfast::runs
