#include "platform_sqlite/sqlite_snapshots.h"

#include <array>
#include <utility>

#include "platform/buffered_streams.h"
#include "platform_sqlite/schema.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

class SqliteSnapshot : public Snapshot {
 public:
  SqliteSnapshot(std::filesystem::path store, std::filesystem::path streams)
      : files_{File{std::move(store), {}}, File{std::move(streams), {}}} {}

  // Before the moment: what takes time.
  Status open(const std::string& vfs) {
    for (File& file : files_) {
      Status status = open_file(file.db, file.path, {.vfs = vfs, .pragmas = kPragmas});
      if (status.ok()) status = file.db.execute("PRAGMA query_only=ON");
      if (!status.ok()) return status;
    }
    return {};
  }
  // A read transaction sees the file as it is at its first read.
  Status begin() {
    for (File& file : files_) {
      if (Status status = file.db.execute("BEGIN"); !status.ok()) return status;
      if (auto read = file.db.number("SELECT count(*) FROM sqlite_master"); !read) return read.error();
    }
    return {};
  }

  Result<std::vector<std::string>> copy_into(const std::filesystem::path& folder,
                                             const std::function<bool()>& give_up) override {
    std::vector<std::string> names;
    for (File& file : files_) {
      names.push_back(file.path.filename().string());
      if (Status status = file.db.copy_to(folder / names.back(), give_up); !status.ok())
        return fail(std::move(status));
    }
    return names;
  }

 private:
  struct File {
    std::filesystem::path path;
    Database db;
  };
  std::array<File, 2> files_;
};

}  // namespace

Result<std::unique_ptr<Snapshot>> SqliteSnapshots::take(const std::function<Status()>& meanwhile) {
  auto snapshot = std::make_unique<SqliteSnapshot>(store_path_, streams_path_);
  if (Status status = snapshot->open(vfs_); !status.ok()) return fail(std::move(status));
  Status status;
  store_.hold([&] {
    streams_.hold([&] {
      status = snapshot->begin();
      if (status.ok()) status = meanwhile();
    });
  });
  if (!status.ok()) return fail(std::move(status));
  return snapshot;
}

Status renew_identity(const std::filesystem::path& directory, Random& random) {
  Database db;
  Status status =
      open_file(db, directory / "streams.db", {.access = sqlite::Access::kReadWrite, .pragmas = kPragmas});
  if (!status.ok()) return status;
  return Statement(db, "UPDATE meta SET epoch = ?1").bind(new_epoch(random)).run();
}

}  // namespace holdfast::platform
