#pragma once

// The line of a conversation within one transaction, for every database (see calls.h, also for what `Rows`
// is). A run has one place at most, in one line.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "platform/calls.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::calls {

// Whether it stands in that line already.
inline bool stands_in(const std::optional<Turn>& stored, std::string_view conversation) {
  return stored && !stored->over && stored->conversation == conversation;
}

// find(run), erase(run), insert(turn), look(turn), which fills in who is before it
template <typename Rows>
Result<Turn> take_turn(Rows rows, std::string_view conversation, std::string_view run, WallTime now) {
  Result<std::optional<Turn>> stored = rows.find(run);
  if (!stored) return fail(stored.error());
  if (stands_in(*stored, conversation)) return rows.look(std::move(**stored));
  if (*stored) {
    if (Status status = rows.erase(run); !status.ok()) return fail(std::move(status));
  }
  Turn turn;
  turn.conversation = std::string(conversation);
  turn.run = std::string(run);
  turn.at = now;
  if (Status status = rows.insert(turn); !status.ok()) return fail(std::move(status));
  return rows.look(std::move(turn));
}

// find(run), end(turn)
template <typename Rows>
Result<std::string> leave_turn(Rows rows, std::string_view run) {
  Result<std::optional<Turn>> stored = rows.find(run);
  if (!stored) return fail(stored.error());
  if (!*stored || (*stored)->over) return std::string();
  if (Status status = rows.end(**stored); !status.ok()) return fail(std::move(status));
  return std::move((*stored)->conversation);
}

}  // namespace holdfast::platform::calls
