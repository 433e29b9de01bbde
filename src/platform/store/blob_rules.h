#pragma once

// Rules of blobs (platform/rules.h): what may be kept, how a content is cut into rows, and what a database
// does in its transactions to keep one. A content of many pieces takes several transactions: the reference
// comes first, so that whatever is stored is found by the run's end; the word that it is whole comes last.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/blobs.h"

namespace holdfast::platform::rules {

Status check_blob(const BlobWrite& blob);
// The smallest text behind every hash that begins so. INVALID_ARGUMENT: that is no beginning of a hash.
Result<std::string> end_of_hashes(std::string_view beginning);
// RESOURCE_EXHAUSTED when the run would hold too much.
Status admit_blob(const Blob& blob, std::int64_t held_by_run);

// The pieces that a read touches, and what of them.
struct BlobRange {
  std::uint64_t first_piece = 0;
  std::uint64_t last_piece = 0;
  std::size_t skip = 0;  // of the first piece
  std::size_t length = 0;
};
// Nothing to read: none. INVALID_ARGUMENT: more than kMaxBlobRead.
Result<std::optional<BlobRange>> blob_range(std::uint64_t offset, std::size_t length);

struct StoredBlob {
  std::string sha256;
  std::int64_t bytes = 0;
  bool whole = false;
  WallTime at{};
};

}  // namespace holdfast::platform::rules

namespace holdfast::platform::calls {

struct BegunBlob {
  Blob blob;
  bool whole = false;  // nothing more to do
};

// find_reference(run, sha256), held_by(run), insert(blob), find_content(sha256), insert(stored)
template <typename Rows>
Result<BegunBlob> begin_blob(Rows rows, const BlobWrite& write, std::string sha256, WallTime now) {
  BegunBlob out;
  Result<std::optional<Blob>> before = rows.find_reference(write.run, sha256);
  if (!before) return fail(before.error());
  if (*before) {
    out.blob = std::move(**before);
  } else {
    out.blob.run = write.run;
    out.blob.sha256 = std::move(sha256);
    out.blob.conversation = write.conversation;
    out.blob.media_type = write.media_type;
    out.blob.bytes = static_cast<std::int64_t>(write.bytes.size());
    out.blob.at = now;
    Result<std::int64_t> held = rows.held_by(write.run);
    if (!held) return fail(held.error());
    if (Status status = rules::admit_blob(out.blob, *held); !status.ok()) return fail(status);
    if (Status status = rows.insert(out.blob); !status.ok()) return fail(status);
  }
  Result<std::optional<rules::StoredBlob>> content = rows.find_content(out.blob.sha256);
  if (!content) return fail(content.error());
  out.whole = *content && (*content)->whole;
  if (*content) return out;
  const rules::StoredBlob stored{out.blob.sha256, out.blob.bytes, false, now};
  if (Status status = rows.insert(stored); !status.ok()) return fail(status);
  return out;
}

// find_content(sha256), insert_piece(sha256, n, bytes). FAILED_PRECONDITION: the history of the run is gone,
// and with it what was kept so far.
template <typename Rows>
Status put_pieces(Rows rows, std::string_view sha256, std::string_view bytes, std::uint64_t first,
                  std::uint64_t end) {
  Result<std::optional<rules::StoredBlob>> content = rows.find_content(sha256);
  if (!content) return content.error();
  if (!*content) return {Code::kFailedPrecondition, "the run's history is gone, and its outputs with it"};
  for (std::uint64_t n = first; n < end; ++n) {
    const std::string_view piece = bytes.substr(static_cast<std::size_t>(n) * kBlobPiece, kBlobPiece);
    if (Status status = rows.insert_piece(sha256, n, piece); !status.ok()) return status;
  }
  return {};
}

// find(run, conversation, from, end), find_content(sha256)
template <typename Rows>
Result<Blob> find_blob(Rows rows, std::string_view run, std::string_view conversation, std::string_view id) {
  Result<std::string> end = rules::end_of_hashes(id);
  if (!end) return fail(end.error());
  Result<std::optional<Blob>> found = rows.find(run, conversation, id, *end);
  if (!found) return fail(found.error());
  if (*found) {
    Result<std::optional<rules::StoredBlob>> content = rows.find_content((*found)->sha256);
    if (!content) return fail(content.error());
    if (*content && (*content)->whole) return std::move(**found);
  }
  return fail(Code::kNotFound, fmt::format("there is no output {} of this run", id));
}

// Keeps a content in transactions of its own; `in_transaction(work)` runs work(rows) -> Status in one.
template <typename InTransaction>
Result<Blob> put_blob(const BlobWrite& write, std::string sha256, WallTime now,
                      InTransaction in_transaction) {
  std::optional<Result<BegunBlob>> begun;
  Status status = in_transaction([&](auto rows) -> Status {
    begun.emplace(begin_blob(rows, write, sha256, now));
    return begun->has_value() ? Status() : begun->error();
  });
  if (!status.ok()) return fail(status);
  BegunBlob& blob = **begun;
  if (blob.whole) return std::move(blob.blob);
  const std::uint64_t pieces = (write.bytes.size() + kBlobPiece - 1) / kBlobPiece;
  for (std::uint64_t first = 0; first < pieces; first += kBlobPiecesPerCommit) {
    const std::uint64_t end = std::min<std::uint64_t>(pieces, first + kBlobPiecesPerCommit);
    status = in_transaction([&](auto rows) -> Status {
      Status put = put_pieces(rows, sha256, write.bytes, first, end);
      return put.ok() && end == pieces ? rows.set_whole(sha256) : put;
    });
    if (!status.ok()) return fail(status);
  }
  return std::move(blob.blob);
}

}  // namespace holdfast::platform::calls
