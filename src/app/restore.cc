#include "app/restore.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "app/data_directory.h"
#include "engine/new_identity.h"
#include "platform_sqlite/snapshot.h"
#include "store/rocks_store.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

// Of the folders that a data directory has, those that a backup may bring.
Status make_folders(const archive::Manifest& manifest, const fs::path& target) {
  for (const archive::File& file : manifest.files) {
    const fs::path folder = fs::path(file.path).parent_path();
    if (file.path == kPlatformMark) continue;
    if (folder != kPlatformFolder && (folder != kEngineFolder || !manifest.engine)) {
      return {Code::kFailedPrecondition,
              fmt::format("the backup holds {}, which no data directory has: it is not one of this program",
                          file.path)};
    }
    std::error_code error;
    fs::create_directory(target / folder, error);
    if (error)
      return {Code::kUnavailable,
              fmt::format("cannot make {}: {}", (target / folder).string(), error.message())};
  }
  return {};
}

Status give_identity(const archive::Manifest& manifest, const fs::path& target, const Clock& clock,
                     Random& random) {
  if (manifest.engine) {
    auto engine = store::RocksStore::open({.dir = (target / kEngineFolder).string()});
    if (!engine) return engine.error();
    if (Status status = engine::give_new_identity(**engine, clock, random); !status.ok()) return status;
  }
  // A store on PostgreSQL is restored there, by whoever has its backup.
  if (platform_mark(target)) return {};
  return platform::renew_identity(target / kPlatformFolder, random);
}

Status fill(const fs::path& backup, const archive::Manifest& manifest, const fs::path& target,
            const Clock& clock, Random& random) {
  if (Status space = archive::check_space(target, manifest.bytes() + kMinFreeBytes); !space.ok())
    return space;
  if (Status status = make_folders(manifest, target); !status.ok()) return status;
  for (const archive::File& file : manifest.files) {
    if (Status status = archive::extract(backup, file, target / file.path, {}); !status.ok()) return status;
  }
  if (Status status = give_identity(manifest, target, clock, random); !status.ok()) return status;
  for (std::string_view folder : {kEngineFolder, kPlatformFolder}) {
    if (!fs::exists(target / folder)) continue;
    if (Status status = archive::sync_folder(target / folder); !status.ok()) return status;
  }
  return archive::sync_folder(target);
}

}  // namespace

Result<archive::Manifest> restore_backup(const fs::path& backup, const fs::path& target, const Clock& clock,
                                         Random& random) {
  if (archive::is_within(target, backup)) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("{} is inside the backup {}: a server there would change what it was made of; name "
                    "a folder outside",
                    target.string(), backup.string()));
  }
  auto manifest = archive::read_manifest(backup);
  if (!manifest) return manifest;
  if (manifest->data_format > kDataFormat) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("{} is of a newer Holdfast ({}, data format {}, this one reads up to {}): restore "
                    "it with that version",
                    backup.string(), manifest->made_by, manifest->data_format, kDataFormat));
  }
  auto unfinished = UnfinishedDataDirectory::create(target);
  if (!unfinished) return fail(unfinished.error());
  if (Status status = fill(backup, *manifest, unfinished->path(), clock, random); !status.ok())
    return fail(std::move(status));
  if (Status status = unfinished->finish(); !status.ok()) return fail(std::move(status));
  return manifest;
}

}  // namespace holdfast::app
