#pragma once

// EventLog: the log of events as a database keeps it, behind BufferedStreams (platform/buffered_streams.h),
// which gathers what is written. Writing is for one caller at a time; reading is for any thread. Every call
// blocks.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/streams.h"

namespace holdfast::platform {

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
  std::shared_ptr<std::uint32_t> opened;  // that number, for the entries behind it
  std::string opening;  // of an entry with a step: the key of the one that opened its attempt
  WallTime at{};
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  enum class Fate : std::uint8_t {
    kWritten,
    kKnown,   // the key was there: `event` is the first one
    kClosed,  // the log is
  };
  struct Written {
    Fate fate = Fate::kClosed;
    Event event;
  };
  // All of them in their order, or none; durable on return. Sets the attempt of an entry that opens one.
  virtual Result<std::vector<Written>> write(std::span<LogEntry* const> entries) = 0;
  virtual Status erase(const std::vector<std::string>& runs) = 0;

  // As in platform/streams.h.
  virtual Result<std::optional<Event>> find(std::string_view run, std::string_view key) = 0;
  virtual Result<std::vector<std::string>> runs(std::string_view after, std::uint32_t limit) = 0;
  virtual Result<EventPage> read(std::string_view run, std::string_view cursor, std::size_t limit) = 0;
  virtual Result<std::string> end(std::string_view run) = 0;
  virtual Result<ChunkPage> read_chunks(std::string_view run, std::string_view step, std::uint32_t attempt,
                                        std::uint64_t offset, std::size_t limit) = 0;
  // Of a cursor that this log has made.
  virtual std::uint64_t seq_of(std::string_view run, std::string_view cursor) const = 0;
};

}  // namespace holdfast::platform
