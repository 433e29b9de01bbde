#pragma once

// The manifest of an archive: what it is of, and size and SHA-256 of every file. It is the last thing written
// (writer.h), so a folder without one is no archive. Its first line hashes the rest: no bit of it can change
// unseen either. Plain values and functions; any thread.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "archive/files.h"
#include "holdfast/status.h"

namespace holdfast::archive {

inline constexpr int kFormat = 1;
inline constexpr std::string_view kManifestName = "MANIFEST";
inline constexpr std::size_t kMaxManifestBytes = 64 << 20;

struct Manifest {
  std::string made_by;   // "holdfast 0.1.0"
  std::string taken_at;  // the moment that the files show
  int data_format = 0;   // of the data directory
  bool engine = false;   // with the embedded engine's executions
  std::vector<File> files{};

  std::uint64_t bytes() const;
  bool operator==(const Manifest&) const = default;
};

std::string manifest_text(const Manifest& manifest);
// kDataLoss: not as it was written. kFailedPrecondition: of a newer format. `name` is what errors call it.
Result<Manifest> parse_manifest(std::string_view text, std::string_view name);

// Of the archive in `folder`; kFailedPrecondition: there is none, or it was cut off.
Result<Manifest> read_manifest(const std::filesystem::path& folder);

// Copies one file out, which must come as the manifest says; kDataLoss names it.
Status extract(const std::filesystem::path& folder, const File& file, const std::filesystem::path& to,
               const GiveUp& give_up);

}  // namespace holdfast::archive
