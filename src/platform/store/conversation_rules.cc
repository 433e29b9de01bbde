#include "platform/conversation_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "platform/store.h"

namespace holdfast::platform::rules {

namespace {

Status unknown_reference(const Reference& at, std::string_view why) {
  return {Code::kFailedPrecondition, fmt::format("conversation {} branch {} sequence {}: {}", at.conversation,
                                                 at.branch, at.sequence, why)};
}

}  // namespace

Status check_messages(const std::vector<std::string>& messages) {
  if (messages.empty()) return {Code::kInvalidArgument, "an append needs at least one message"};
  if (messages.size() > kMaxMessagesPerStep) {
    return {Code::kInvalidArgument,
            fmt::format("{} messages in one append; at most {}", messages.size(), kMaxMessagesPerStep)};
  }
  for (const std::string& message : messages) {
    if (Status status = check_body("a message", message); !status.ok()) return status;
  }
  return {};
}

Status check_place(const Reference& at, const std::optional<Branch>& branch) {
  if (at.sequence == 0) {
    if (!at.sha256.empty()) return unknown_reference(at, "the empty conversation has no hash");
    // Branch 0 is there before its first message.
    return branch || at.branch == 0 ? Status() : unknown_reference(at, "there is no such branch");
  }
  if (!branch) return unknown_reference(at, "there is no such branch");
  if (at.sequence <= branch->head) return {};
  return unknown_reference(at, fmt::format("the branch ends at {}", branch->head));
}

Status check_hash(const Reference& at, std::string_view stored) {
  if (at.sha256 == stored) return {};
  return unknown_reference(at, "the hash is not that of the stored messages");
}

bool owns(const Branch& branch, std::uint64_t sequence) {
  return sequence > branch.fork || branch.number == 0;
}

Change<Branch> branch_for(const Reference& expected, const std::optional<Branch>& branch,
                          const std::optional<Branch>& owner, std::uint32_t last) {
  if (!branch) return {Branch(), Write::kInsert};
  if (branch->head == expected.sequence) return {*branch, Write::kUpdate};
  Branch fresh;
  fresh.number = last + 1;
  fresh.parent = owner ? owner->number : branch->number;
  fresh.fork = expected.sequence;
  fresh.head = expected.sequence;
  fresh.head_sha256 = expected.sha256;
  return {std::move(fresh), Write::kInsert};
}

Message next_message(Branch& branch, std::string_view json, WallTime now) {
  Message out;
  out.branch = branch.number;
  out.sequence = ++branch.head;
  out.json = std::string(json);
  out.content_sha256 = sha256_hex(json);
  out.chain_sha256 = branch.head_sha256 = sha256_hex(branch.head_sha256 + out.content_sha256);
  out.at = now;
  return out;
}

Reference head_of(std::string_view conversation, const Branch& branch) {
  Reference out;
  out.conversation = std::string(conversation);
  out.branch = branch.number;
  out.sequence = branch.head;
  out.sha256 = branch.head_sha256;
  return out;
}

std::vector<Segment> segments_of(std::span<const Branch> lineage, std::uint64_t first, std::uint64_t last) {
  std::vector<Segment> out;
  for (const Branch& branch : lineage) {
    if (last < first) break;
    if (!owns(branch, last)) continue;
    out.push_back({branch.number, std::max(first, branch.fork + 1), last});
    last = branch.fork;
  }
  std::ranges::reverse(out);
  return out;
}

}  // namespace holdfast::platform::rules
