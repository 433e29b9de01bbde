#pragma once

// SqliteSnapshots: a moment is two read transactions that begin while neither writer writes. Private to this
// room.

#include <filesystem>
#include <string>

#include "platform_sqlite/snapshot.h"

namespace holdfast::platform {

class SqliteStore;
class BufferedStreams;

class SqliteSnapshots : public Snapshots {
 public:
  SqliteSnapshots(SqliteStore& store, std::filesystem::path store_path, BufferedStreams& streams,
                  std::filesystem::path streams_path, std::string vfs)
      : store_(store),
        store_path_(std::move(store_path)),
        streams_(streams),
        streams_path_(std::move(streams_path)),
        vfs_(std::move(vfs)) {}

  Result<std::unique_ptr<Snapshot>> take(const std::function<Status()>& meanwhile) override;

 private:
  SqliteStore& store_;
  const std::filesystem::path store_path_;
  BufferedStreams& streams_;
  const std::filesystem::path streams_path_;
  const std::string vfs_;
};

}  // namespace holdfast::platform
