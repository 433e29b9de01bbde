#pragma once

// Blobs: large outputs of tools, kept by what is in them. One content is stored once, in pieces, and belongs
// to the runs that refer to it; when the history of the last of these goes, so does the content.
//
// Plain values; see platform/store.h for the calls.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast::platform {

inline constexpr std::size_t kMaxBlobBytes = 64 << 20;
inline constexpr std::int64_t kMaxBlobBytesOfRun = 256 << 20;
inline constexpr std::size_t kBlobPiece = 256 * 1024;      // of the content, in one row
inline constexpr std::size_t kBlobPiecesPerCommit = 4;     // others write in between
inline constexpr std::size_t kMaxBlobRead = 4 << 20;       // of one call
inline constexpr std::size_t kLeastBlobIdCharacters = 12;  // of its hash, to name it

// `bytes` outlives the call.
struct BlobWrite {
  BlobWrite() = default;
  std::string run;
  std::string conversation;  // whose later runs may read it, too
  std::string media_type;
  std::string_view bytes;
};

// A content as one run refers to it.
struct Blob {
  Blob() = default;
  std::string run;
  std::string sha256;  // of the content, hex: its name
  std::string conversation;
  std::string media_type;
  std::int64_t bytes = 0;
  WallTime at{};
};

}  // namespace holdfast::platform
