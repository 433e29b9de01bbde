#pragma once

// Files on their way into and out of an archive: copied in pieces, hashed on the way, on the disk when a
// function returns. What is made is its user's alone (0600, 0700). Nothing throws; any thread.
//
//   kResourceExhausted   the disk is full
//   kPermissionDenied    may not be read or written
//   kUnavailable         anything else that the machine says
//   kCancelled           `give_up` said so

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::archive {

// Asked between pieces. Empty: never.
using GiveUp = std::function<bool()>;

// A file as the manifest names it.
struct File {
  std::string path;  // below the archive's folder, with '/'
  std::uint64_t size = 0;
  std::string sha256;
  bool operator==(const File&) const = default;
};

// Copies into a file that is not there yet. `path` of the answer is empty.
Result<File> copy_file(const std::filesystem::path& from, const std::filesystem::path& to,
                       const GiveUp& give_up);
// Of a file that somebody else wrote: made private, synced and hashed.
Result<File> seal_file(const std::filesystem::path& path, const GiveUp& give_up);
// A file of a few bytes that is not there yet.
Status write_file(const std::filesystem::path& path, std::string_view text);
// kResourceExhausted when it has more than `most` bytes, kNotFound when it is not there.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t most);
// The names in a folder are durable.
Status sync_folder(const std::filesystem::path& path);
// Whether `path` is `folder` or below it, where links really lead; `path` need not be there yet.
bool is_within(const std::filesystem::path& path, const std::filesystem::path& folder);
// kResourceExhausted: the disk under `folder` has less than `bytes` free.
Status check_space(const std::filesystem::path& folder, std::uint64_t bytes);

}  // namespace holdfast::archive
