#pragma once

// Rules of conversations (platform/rules.h): an append-only tree of messages. A branch owns the sequences
// after its fork; below it, its parent's apply. The cost of an append does not depend on how much is there.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

// JSON of one read; more is refused, so that nobody takes a part for the whole.
inline constexpr std::size_t kMaxReadBytes = 64 << 20;

struct Branch {
  std::uint32_t number = 0;
  std::uint32_t parent = 0;
  std::uint64_t fork = 0;  // the last sequence that is the parent's
  std::uint64_t head = 0;
  std::string head_sha256;
};

Status check_messages(const std::vector<std::string>& messages);

// FAILED_PRECONDITION when `at` can name nothing on `branch`, its own as stored.
Status check_place(const Reference& at, const std::optional<Branch>& branch);
// And when it is not the message there whose chain hash is stored.
Status check_hash(const Reference& at, std::string_view stored);

// Whether message `sequence`, as seen from the branch or a child of it, is the branch's own. If not, its
// parent is asked.
bool owns(const Branch& branch, std::uint64_t sequence);

// Where messages after `expected` go: its branch when that is its head, else a new one, which forks off the
// branch that owns the message. `last`: the highest number of a branch of the conversation.
Change<Branch> branch_for(const Reference& expected, const std::optional<Branch>& branch,
                          const std::optional<Branch>& owner, std::uint32_t last);

// The next message of `branch`, whose head it becomes.
Message next_message(Branch& branch, std::string_view json, WallTime now);

Reference head_of(std::string_view conversation, const Branch& branch);

// Which branch has which of the messages first..last, oldest first. `lineage`: the branch read, its parent
// and so on, down to the one that owns `first`.
struct Segment {
  std::uint32_t branch = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
std::vector<Segment> segments_of(std::span<const Branch> lineage, std::uint64_t first, std::uint64_t last);

}  // namespace holdfast::platform::rules
