#pragma once

// InboxStore: what waits for people, by the agents that ask and by whom they ask. The part of the platform
// store that inboxes of teams and people read: it costs what it finds, however many others wait
// (platform/store.h has the list of all).
// Threads and failures are the Store's.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "platform/records.h"

namespace holdfast::platform {

// Of one inbox: each costs a little.
inline constexpr std::size_t kMaxInboxAgents = 200;

// Whom an approval asks: a role, "user:NAME", or "" for whoever may decide at all.
struct Asked {
  std::string word;
  std::int64_t after_ms = 0;  // behind the request: where it is escalated to
};
struct Audience {
  std::vector<Asked> asked;  // none: everybody
  std::string but;           // this person alone is not asked
};

// Whose own inbox is looked for.
struct Decider {
  std::vector<std::string> words;  // Asked::word that mean him, but for ""; kMaxDeciderWords at most
  std::string name;
  WallTime now{};
};
inline constexpr std::size_t kMaxDeciderWords = 32;

class InboxStore {
 public:
  virtual ~InboxStore() = default;

  // Store::request_approval, which asks everybody, of those that are asked.
  virtual Result<Approval> request_approval(const Approval& approval, const Audience& audience) = 0;
  // What waits and may be the decider's by whom it asks, newest request first; `after` and `limit` as below.
  virtual Result<std::vector<Approval>> asked_of(const Decider& who, std::string_view after,
                                                 std::uint32_t limit) = 0;

  // Agents that ask for something that waits, by name, those behind `after`; kMaxPage at most.
  virtual Result<std::vector<std::string>> asking_agents(std::string_view after) = 0;
  // What waits of what those agents ask, newest request first, behind the approval `after`; empty: from the
  // newest on. `limit` as of a page of the Store's. An agent is named once; kMaxInboxAgents at most.
  virtual Result<std::vector<Approval>> asked_by(const std::vector<std::string>& agents,
                                                 std::string_view after, std::uint32_t limit) = 0;
};

// Every store has it.
class Store;
InboxStore& inbox_store_of(Store& store);

}  // namespace holdfast::platform
