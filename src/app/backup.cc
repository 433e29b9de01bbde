#include "app/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "app/data_directory.h"
#include "archive/writer.h"
#include "base/iso_time.h"
#include "store/rocks_store.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

// Links that a backup leaves behind keep disk space that compaction would give back.
class Scratch {
 public:
  explicit Scratch(fs::path path) : path_(std::move(path)) { remove(); }
  ~Scratch() { remove(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path path_;
};

Result<std::vector<std::string>> names_in(const fs::path& folder, std::uint64_t* bytes) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
    *bytes += entry->file_size(error);
  }
  if (error) return fail(Code::kUnavailable, "cannot look into " + folder.string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

Status copy_platform(platform::Snapshot& snapshot, archive::Writer& writer, const archive::GiveUp& give_up) {
  const std::string folder(kPlatformFolder);
  if (Status status = writer.make_folder(folder); !status.ok()) return status;
  auto names = snapshot.copy_into(writer.folder() / folder, give_up);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (Status status = writer.seal(folder + "/" + name, give_up); !status.ok()) return status;
  }
  return {};
}

Status copy_engine(const fs::path& checkpoint, archive::Writer& writer, const archive::GiveUp& give_up) {
  std::uint64_t bytes = 0;
  auto names = names_in(checkpoint, &bytes);
  if (!names) return names.error();
  if (Status space = archive::check_space(writer.folder(), bytes + kMinFreeBytes); !space.ok()) return space;
  const std::string folder(kEngineFolder);
  if (Status status = writer.make_folder(folder); !status.ok()) return status;
  for (const std::string& name : *names) {
    if (Status status = writer.add(checkpoint / name, folder + "/" + name, give_up); !status.ok())
      return status;
  }
  return {};
}

// First what keeps SQLite's logs from being cut.
Status back_up_platform(const BackupSources& sources, const std::function<Status()>& moment,
                        archive::Writer& writer, const archive::GiveUp& give_up) {
  auto snapshot = sources.platform->take(moment);
  if (!snapshot) return snapshot.error();
  return copy_platform(**snapshot, writer, give_up);
}

// The store is elsewhere; which one it is goes with the executions.
Status back_up_mark(const BackupSources& sources, const std::function<Status()>& moment,
                    archive::Writer& writer, const archive::GiveUp& give_up) {
  if (sources.engine == nullptr) {
    return {
        Code::kFailedPrecondition,
        "nothing of this server is in its data directory: the runs are on a Temporal server, the platform "
        "store is on PostgreSQL. Back up that database"};
  }
  if (Status status = moment(); !status.ok()) return status;
  const std::string name(kPlatformMark);
  return writer.add(sources.data / name, name, give_up);
}

}  // namespace

Result<archive::Manifest> take_backup(const BackupSources& sources, const fs::path& target,
                                      const archive::GiveUp& give_up) {
  if (archive::is_within(target, sources.data)) {
    return fail(Code::kInvalidArgument,
                fmt::format("{} is inside the data directory {}: a backup there is lost with what it saves; "
                            "name a folder outside",
                            target.string(), sources.data.string()));
  }
  auto writer = archive::Writer::create(target);
  if (!writer) return fail(writer.error());
  const Scratch scratch(sources.scratch);
  const fs::path engine = scratch.path() / kEngineFolder;
  archive::Manifest about;
  about.made_by = std::string("holdfast ") + HOLDFAST_VERSION;
  about.data_format = kDataFormat;
  about.engine = sources.engine != nullptr;

  if (sources.engine != nullptr) {
    std::error_code error;
    fs::create_directory(scratch.path(), error);
    if (error)
      return fail(Code::kUnavailable, "cannot make " + scratch.path().string() + ": " + error.message());
    if (Status status = sources.engine->settle(); !status.ok()) return fail(std::move(status));
  }
  const auto moment = [&]() -> Status {
    about.taken_at = iso_time(sources.clock->now());
    return sources.engine != nullptr ? sources.engine->checkpoint(engine.string()) : Status();
  };
  Status platform = sources.platform != nullptr ? back_up_platform(sources, moment, *writer, give_up)
                                                : back_up_mark(sources, moment, *writer, give_up);
  if (!platform.ok()) return fail(std::move(platform));
  if (sources.engine != nullptr) {
    if (Status status = copy_engine(engine, *writer, give_up); !status.ok()) return fail(std::move(status));
  }
  return writer->finish(std::move(about));
}

}  // namespace holdfast::app
