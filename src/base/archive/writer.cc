#include "archive/writer.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace holdfast::archive {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kUnfinished = "MANIFEST.unfinished";

Status cannot_make(const fs::path& path, const std::error_code& error) {
  const bool denied = error == std::errc::permission_denied || error == std::errc::read_only_file_system;
  return {denied ? Code::kPermissionDenied : Code::kUnavailable,
          fmt::format("cannot make {}: {}", path.string(), error.message())};
}

}  // namespace

Result<Writer> Writer::create(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) return fail(cannot_make(folder, error));
  if (!made && !fs::is_empty(folder, error)) {
    return fail(Code::kFailedPrecondition,
                fmt::format("{} is not empty: a backup needs a folder of its own", folder.string()));
  }
  // Who makes this file first has the folder.
  if (Status claimed = write_file(folder / kUnfinished, ""); !claimed.ok()) return fail(std::move(claimed));
  Writer writer(folder, made);
  if (::chmod(folder.c_str(), S_IRWXU) != 0)
    return fail(Code::kPermissionDenied,
                fmt::format("cannot keep {} from others: {}", folder.string(), std::strerror(errno)));
  return writer;
}

Writer::Writer(Writer&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      made_(other.made_),
      folders_(std::move(other.folders_)),
      files_(std::move(other.files_)) {}

Writer::~Writer() {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::remove(folder_ / kManifestName, ignored);
  for (const std::string& name : folders_) fs::remove_all(folder_ / name, ignored);
  for (const File& file : files_) fs::remove(folder_ / file.path, ignored);
  fs::remove(folder_ / kUnfinished, ignored);
  if (made_) fs::remove(folder_, ignored);
}

Status Writer::make_folder(const std::string& name) {
  std::error_code error;
  fs::create_directory(folder_ / name, error);
  if (!error) fs::permissions(folder_ / name, fs::perms::owner_all, error);
  if (error) return cannot_make(folder_ / name, error);
  folders_.push_back(name);
  return {};
}

Status Writer::add(const fs::path& from, const std::string& path, const GiveUp& give_up) {
  auto copied = copy_file(from, folder_ / path, give_up);
  if (!copied) return copied.error();
  copied->path = path;
  files_.push_back(*std::move(copied));
  return {};
}

Status Writer::seal(const std::string& path, const GiveUp& give_up) {
  auto sealed = seal_file(folder_ / path, give_up);
  if (!sealed) return sealed.error();
  sealed->path = path;
  files_.push_back(*std::move(sealed));
  return {};
}

Result<Manifest> Writer::finish(Manifest about) {
  about.files = files_;
  std::sort(about.files.begin(), about.files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  for (const std::string& name : folders_) {
    if (Status status = sync_folder(folder_ / name); !status.ok()) return fail(std::move(status));
  }
  // The names of the files are durable before the manifest's is.
  if (Status status = sync_folder(folder_); !status.ok()) return fail(std::move(status));
  std::error_code error;
  fs::remove(folder_ / kUnfinished, error);
  if (Status status = write_file(folder_ / kUnfinished, manifest_text(about)); !status.ok())
    return fail(std::move(status));
  fs::rename(folder_ / kUnfinished, folder_ / kManifestName, error);
  if (error) return fail(cannot_make(folder_ / kManifestName, error));
  if (Status status = sync_folder(folder_); !status.ok()) return fail(std::move(status));
  if (made_) {
    if (Status status = sync_folder(fs::absolute(folder_).parent_path()); !status.ok())
      return fail(std::move(status));
  }
  folder_.clear();
  return about;
}

}  // namespace holdfast::archive
