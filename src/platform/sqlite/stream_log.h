#pragma once

// StreamLog: the log of events as rows of a file. Private to this room.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/event_log.h"
#include "platform/stream_rules.h"
#include "platform_sqlite/group_commit.h"
#include "platform_sqlite/readers.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

using sqlite::Database;
using sqlite::Statement;

class StreamLog : public EventLog {
 public:
  StreamLog(std::unique_ptr<Database> db, std::filesystem::path path, std::string vfs, std::string epoch,
            Fatal fatal)
      : db_(std::move(db)),
        readers_(std::move(path), std::move(vfs)),
        epoch_(std::move(epoch)),
        fatal_(std::move(fatal)) {}

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
  // Runs `work() -> Status` in a transaction.
  template <typename Work>
  Status commit(Work work);
  Result<Written> append(LogEntry& entry);
  Result<std::optional<Event>> find_in(Database& db, std::string_view run, std::string_view key) const;
  Event event_of(const Statement& row, std::string_view run) const;

  const std::unique_ptr<Database> db_;  // the writer's
  Readers readers_;
  const std::string epoch_;
  const Fatal fatal_;
};

}  // namespace holdfast::platform
