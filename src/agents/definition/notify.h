#pragma once

// `notify`: who is told when a run is over, fails, or waits for a person. Each entry is told by a tool type
// that sends messages (ToolType::notifies), with the same section as in a tool; its arguments are what there
// is to tell (kNotifyArguments). In agent.yaml, or given with the start of a run.
//
// Values and pure functions; any thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "definition/tool_type.h"
#include "holdfast/status.h"

namespace holdfast::spec {
class MapReader;
}

namespace holdfast::agent {

inline constexpr std::size_t kMaxNotified = 16;
inline constexpr std::size_t kMaxNotifyBytes = 64 * 1024;
inline constexpr std::size_t kMaxRecipientNameBytes = 200;

struct Notified {
  std::uint32_t events = 0;  // bits of protocol::NotifyEvent
  ToolSpec message;          // its name is that of the event when it is sent
  // Who decides with the link that the message has, of kApproval; empty: it has none.
  std::string recipient;
};

// Reads the list `notify` of `parent`. Mistakes go there.
std::vector<Notified> parse_notify(const Catalog& catalog, spec::MapReader& parent,
                                   std::string_view base_directory = {});
// What came with a start. INVALID_ARGUMENT says everything that is wrong. `list` null: nobody.
Result<std::vector<Notified>> read_notify(const Catalog& catalog, const Json& list);

Json notify_json(const std::vector<Notified>& notified);
// All events that somebody is told of.
std::uint32_t notified_events(const std::vector<Notified>& notified);
// Of an editor's schema: the list, given the sections of the types by name.
Json notify_schema(const Catalog& catalog);

}  // namespace holdfast::agent
