#pragma once

// What a pure call came to, when it is small: it needs no write to the store, but goes through the history to
// the activity that puts it into the conversation, and into the store with the step of that (docs/adr/0063).
// A call that is lost with the process is made again; one that the history has is not. A plain value.

#include <cstddef>
#include <cstdint>
#include <string>

#include "platform/records.h"
#include "protocol/run.h"

namespace holdfast::agent {

// Of a record; what is larger would not belong into a history.
inline constexpr std::size_t kMaxCarriedBytes = 1024;

struct CarriedResult {
  CarriedResult() = default;
  std::string record;  // tool_record()
  std::uint32_t step = 0;
  std::string kind;  // of the tool
  std::string tool;
  std::string agent;
  std::string version;

  std::string text() const;
  // Throws what JSON throws: the history is not as it was written.
  static CarriedResult read(const std::string& text);

  // Of that step, once for what it came to: a call that was lost may have come to something else.
  std::string event_key() const;
  protocol::Json event() const;
  // The record of the call `key`, and that it counts.
  platform::StepWrite step_write(const std::string& run, const std::string& key) const;
};

// What those who watch are told of a call that has ended.
protocol::Json tool_event(std::uint32_t step, std::string_view kind, std::string_view tool,
                          const std::string& record);

}  // namespace holdfast::agent
