#pragma once

// InboxStore: what waits for people, by the agents that ask. The part of the platform store that the inbox of
// a team reads: it costs what it finds, however many others wait (platform/store.h has the list of all).
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

class InboxStore {
 public:
  virtual ~InboxStore() = default;

  // Agents that ask for something that waits, by name, those behind `after`; kMaxPage at most.
  virtual Result<std::vector<std::string>> asking_agents(std::string_view after) = 0;
  // What waits of what those agents ask, newest request first, behind the approval `after`; empty: from the
  // newest on. `limit` as of a page of the Store's. An agent is named once; kMaxInboxAgents at most.
  virtual Result<std::vector<Approval>> asked_by(const std::vector<std::string>& agents,
                                                 std::string_view after, std::uint32_t limit) = 0;
};

}  // namespace holdfast::platform
