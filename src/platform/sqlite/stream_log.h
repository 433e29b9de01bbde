#pragma once

// StreamLog: the log of events as rows. Writing is for the leader of SqliteStreams, inside its transaction;
// reading is for any connection. Thread-safe where the database is. Private to this room.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/stream_rules.h"
#include "platform/streams.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

using sqlite::Database;
using sqlite::Statement;

// What a writer wants in the log: an event, or text of one attempt of a step.
struct LogEntry {
  std::string run;
  std::string type;
  std::string data;  // JSON; the text itself when `step` is there
  std::string key;
  std::optional<std::string> step;
  std::uint32_t attempt = 0;
  std::uint64_t start = 0;
  bool opens = false;  // the first entry of an attempt: takes its number when it is written
  WallTime at{};
};

class StreamLog {
 public:
  explicit StreamLog(std::string epoch) : epoch_(std::move(epoch)) {}

  enum class Fate : std::uint8_t {
    kWritten,
    kKnown,   // the key was there: `event` is the first one
    kClosed,  // the log is
  };
  struct Written {
    Fate fate = Fate::kClosed;
    Event event;
  };
  // Sets entry.attempt when it opens one.
  Result<Written> append(Database& db, LogEntry& entry) const;
  Result<std::optional<Event>> find(Database& db, std::string_view run, std::string_view key) const;
  // Runs behind `after`.
  Result<std::vector<std::string>> runs(Database& db, std::string_view after, std::uint32_t limit) const;
  Status erase(Database& db, std::string_view run) const;

  Result<EventPage> read(Database& db, std::string_view run, std::string_view cursor,
                         std::size_t limit) const;
  Result<std::string> end(Database& db, std::string_view run) const;
  Result<ChunkPage> read_chunks(Database& db, std::string_view run, std::string_view step,
                                std::uint32_t attempt, std::uint64_t offset, std::size_t limit) const;
  // Of a cursor that this log has made.
  std::uint64_t seq_of(std::string_view cursor) const;

 private:
  Event event_of(const Statement& row, std::string_view run) const;

  const std::string epoch_;
};

}  // namespace holdfast::platform
