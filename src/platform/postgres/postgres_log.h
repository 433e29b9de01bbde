#pragma once

// PostgresLog: the log of events as rows of a schema. However much is written at once, it takes five
// statements: what is there of the runs, keys and attempts, and then all rows. Private to this room.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/event_log.h"
#include "platform_postgres/readers.h"
#include "platform_postgres/session.h"

namespace holdfast::platform {

class PostgresLog : public EventLog {
 public:
  PostgresLog(std::unique_ptr<Session> session, SessionOptions options, std::string epoch)
      : session_(std::move(session)), readers_(std::move(options)), epoch_(std::move(epoch)) {}

  Result<std::vector<Written>> write(std::span<LogEntry* const> entries) override;
  Status erase(const std::vector<std::string>& runs) override;
  Result<std::optional<Event>> find(std::string_view run, std::string_view key) override;
  Result<std::vector<std::string>> runs(std::string_view after, std::uint32_t limit) override;
  Result<EventPage> read(std::string_view run, std::string_view cursor, std::size_t limit) override;
  Result<std::string> end(std::string_view run) override;
  Result<ChunkPage> read_chunks(std::string_view run, std::string_view step, std::uint32_t attempt,
                                std::uint64_t offset, std::size_t limit) override;
  std::uint64_t seq_of(std::string_view run, std::string_view cursor) const override;

 private:
  struct Before;  // what a batch finds in the log
  Result<Before> look(Connection& db, std::span<LogEntry* const> entries) const;
  // What becomes of one entry, and of what is known of the log.
  Written place(LogEntry& entry, std::uint32_t asked, Before& before) const;

  const std::unique_ptr<Session> session_;  // the writer's
  PostgresReaders readers_;
  const std::string epoch_;
};

}  // namespace holdfast::platform
