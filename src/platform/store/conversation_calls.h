#pragma once

// Conversations within one transaction, for every database (see calls.h, also for what `Rows` is): what a
// reference names, appending behind it, reading up to it.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/calls.h"
#include "platform/conversation_rules.h"

namespace holdfast::platform::calls {

// A reference that names what is stored.
struct Place {
  std::optional<rules::Branch> branch;  // none: branch 0, and nothing was appended
  std::optional<rules::Branch> owner;   // of the message, when it is not the branch's head
};

// The branch, its parent and so on, down to the one that owns message `sequence`. find(conversation, number)
template <typename Rows>
Result<std::vector<rules::Branch>> lineage_of(Rows& rows, std::string_view conversation, rules::Branch branch,
                                              std::uint64_t sequence) {
  std::vector<rules::Branch> out = {std::move(branch)};
  while (!rules::owns(out.back(), sequence)) {
    Result<std::optional<rules::Branch>> parent = rows.find(conversation, out.back().parent);
    if (!parent) return fail(parent.error());
    if (!*parent) {
      return fail(Code::kDataLoss,
                  fmt::format("conversation {}: branch {} is missing", conversation, out.back().parent));
    }
    out.push_back(std::move(**parent));
  }
  return out;
}

// find(conversation, number), chain_sha256(conversation, branch, sequence)
template <typename Rows>
Result<Place> resolve(Rows& rows, const Reference& at) {
  if (Status status = rules::check_name("a conversation", at.conversation); !status.ok())
    return fail(std::move(status));
  Result<std::optional<rules::Branch>> branch = rows.find(at.conversation, at.branch);
  if (!branch) return fail(branch.error());
  if (Status status = rules::check_place(at, *branch); !status.ok()) return fail(std::move(status));
  Place out;
  out.branch = std::move(*branch);
  if (!out.branch) return out;
  std::string stored = at.sequence == 0 ? std::string() : out.branch->head_sha256;
  if (at.sequence != out.branch->head) {
    Result<std::vector<rules::Branch>> lineage = lineage_of(rows, at.conversation, *out.branch, at.sequence);
    if (!lineage) return fail(lineage.error());
    out.owner = std::move(lineage->back());
    if (at.sequence != 0) {
      Result<std::optional<std::string>> hash =
          rows.chain_sha256(at.conversation, out.owner->number, at.sequence);
      if (!hash) return fail(hash.error());
      if (!*hash) {
        return fail(Code::kDataLoss,
                    fmt::format("conversation {} branch {} sequence {}: the message is missing",
                                at.conversation, at.branch, at.sequence));
      }
      stored = std::move(**hash);
    }
  }
  if (Status status = rules::check_hash(at, stored); !status.ok()) return fail(std::move(status));
  return out;
}

// As resolve(), and last_branch(conversation), insert_messages(conversation, messages), and
// insert(conversation, branch), update(conversation, branch)
template <typename Rows>
Result<Appended> append(Rows rows, const Reference& expected, const std::vector<std::string>& messages,
                        WallTime now) {
  if (Status status = rules::check_messages(messages); !status.ok()) return fail(std::move(status));
  Result<Place> place = resolve(rows, expected);
  if (!place) return fail(place.error());
  std::uint32_t last = 0;
  if (place->owner) {
    Result<std::uint32_t> found = rows.last_branch(expected.conversation);
    if (!found) return fail(found.error());
    last = *found;
  }
  rules::Change<rules::Branch> branch = rules::branch_for(expected, place->branch, place->owner, last);
  std::vector<Message> added;
  for (const std::string& json : messages) added.push_back(rules::next_message(branch.row, json, now));
  Status status = rows.insert_messages(expected.conversation, added);
  if (status.ok()) {
    status = branch.write == rules::Write::kInsert ? rows.insert(expected.conversation, branch.row)
                                                   : rows.update(expected.conversation, branch.row);
  }
  if (!status.ok()) return fail(std::move(status));
  Appended out;
  out.head = rules::head_of(expected.conversation, branch.row);
  out.branch_opened = place->branch && branch.write == rules::Write::kInsert;
  return out;
}

// find(conversation, number)
template <typename Rows>
Result<Reference> head(Rows rows, std::string_view conversation, std::uint32_t branch) {
  Result<std::optional<rules::Branch>> found = rows.find(conversation, branch);
  if (!found) return fail(found.error());
  if (!*found)
    return fail(Code::kNotFound, fmt::format("conversation {} has no branch {}", conversation, branch));
  return rules::head_of(conversation, **found);
}

// As resolve(), and read(conversation, segment, messages, bytes), which adds the segment's messages and says
// false when the page is full.
template <typename Rows>
Result<std::vector<Message>> read(Rows rows, const Reference& at, std::uint64_t first, std::uint64_t last) {
  std::vector<Message> out;
  first = std::max<std::uint64_t>(first, 1);
  last = std::min(last, at.sequence);
  Result<Place> place = resolve(rows, at);
  if (!place) return fail(place.error());
  if (!place->branch || first > last) return out;
  Result<std::vector<rules::Branch>> lineage = lineage_of(rows, at.conversation, *place->branch, first);
  if (!lineage) return fail(lineage.error());
  std::size_t bytes = 0;
  for (const rules::Segment& segment : rules::segments_of(*lineage, first, last)) {
    Result<bool> goes_on = rows.read(at.conversation, segment, out, bytes);
    if (!goes_on) return fail(goes_on.error());
    if (!*goes_on) break;
  }
  return out;
}

}  // namespace holdfast::platform::calls
