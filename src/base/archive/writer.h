#pragma once

// Writer: makes an archive in a folder that is new or empty. The manifest comes last, whole and durable,
// after everything that it names: killed before that, the folder holds files and no archive. A writer that is
// destroyed unfinished takes away what it made. One thread at a time; errors: archive/files.h.

#include <filesystem>
#include <string>

#include "archive/files.h"
#include "archive/manifest.h"
#include "holdfast/status.h"

namespace holdfast::archive {

class Writer {
 public:
  // kFailedPrecondition: there is something in the folder. kAlreadyExists: somebody else writes into it.
  static Result<Writer> create(const std::filesystem::path& folder);
  Writer(Writer&& other) noexcept;
  Writer& operator=(Writer&&) = delete;
  ~Writer();

  const std::filesystem::path& folder() const { return folder_; }
  Status make_folder(const std::string& name);
  Status add(const std::filesystem::path& from, const std::string& path, const GiveUp& give_up);
  // A file that was written in its place.
  Status seal(const std::string& path, const GiveUp& give_up);
  // `about` says everything but the files. Returns what was written.
  Result<Manifest> finish(Manifest about);

 private:
  Writer(std::filesystem::path folder, bool made) : folder_(std::move(folder)), made_(made) {}
  std::filesystem::path folder_;  // empty: moved away, or finished
  bool made_;                     // by us
  std::vector<std::string> folders_;
  std::vector<File> files_;
};

}  // namespace holdfast::archive
