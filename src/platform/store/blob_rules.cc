#include "platform/blob_rules.h"

#include <fmt/format.h>

#include "platform/rules.h"

namespace holdfast::platform::rules {

Status check_blob(const BlobWrite& blob) {
  if (Status status = check_name("the run of a blob", blob.run); !status.ok()) return status;
  if (Status status = check_name("the media type of a blob", blob.media_type); !status.ok()) return status;
  if (blob.bytes.empty()) return {Code::kInvalidArgument, "a blob has at least one byte"};
  if (blob.bytes.size() <= kMaxBlobBytes) return {};
  return {Code::kInvalidArgument,
          fmt::format("a blob may have {} bytes, not {}", kMaxBlobBytes, blob.bytes.size())};
}

Result<std::string> end_of_hashes(std::string_view beginning) {
  const bool hex = beginning.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!hex || beginning.size() < kLeastBlobIdCharacters || beginning.size() > 64) {
    return fail(Code::kInvalidArgument,
                fmt::format("an output is named by its SHA-256 in lower-case hex, or at least its first {} "
                            "characters",
                            kLeastBlobIdCharacters));
  }
  return std::string(beginning) + 'g';
}

Status admit_blob(const Blob& blob, std::int64_t held_by_run) {
  if (blob.bytes <= kMaxBlobBytesOfRun - held_by_run) return {};
  return {Code::kResourceExhausted,
          fmt::format("the large outputs of a run may have {} bytes together; {} are taken",
                      kMaxBlobBytesOfRun, held_by_run)};
}

Result<std::optional<BlobRange>> blob_range(std::uint64_t offset, std::size_t length) {
  if (length > kMaxBlobRead) {
    return fail(Code::kInvalidArgument, fmt::format("one read gives {} bytes at most", kMaxBlobRead));
  }
  if (length == 0 || offset >= kMaxBlobBytes) return std::optional<BlobRange>();
  BlobRange out;
  out.first_piece = offset / kBlobPiece;
  out.last_piece = (offset + length - 1) / kBlobPiece;
  out.skip = static_cast<std::size_t>(offset % kBlobPiece);
  out.length = length;
  return std::optional<BlobRange>(out);
}

}  // namespace holdfast::platform::rules
