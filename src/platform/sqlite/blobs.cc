// Blobs as rows: contents, their pieces, and the runs that refer to them.

#include <fmt/format.h>

#include "base/sha256.h"
#include "platform/blob_rules.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::StoredBlob;

#define REFERENCE_COLUMNS "run, sha256, conversation, media_type, bytes, at"
#define REFERENCE_VALUES "?1, ?2, ?3, ?4, ?5, ?6"
#define READ_REFERENCES       \
  "SELECT " REFERENCE_COLUMNS \
  ", " ROW_DAMAGED("checksum", "blob_references", REFERENCE_COLUMNS) " FROM blob_references "
#define CONTENT_COLUMNS "sha256, bytes, whole, at"
#define CONTENT_VALUES "?1, ?2, ?3, ?4"
#define PIECE_COLUMNS "sha256, n, bytes"
#define PIECE_VALUES "?1, ?2, ?3"

Blob blob_of(const Statement& row) {
  Blob out;
  row.read(out.run, out.sha256, out.conversation, out.media_type, out.bytes, out.at);
  return out;
}

struct BlobRows {
  Database& db;

  Result<std::optional<Blob>> find_reference(std::string_view run, std::string_view sha256) {
    Statement query(db, READ_REFERENCES "WHERE run = ?1 AND sha256 = ?2");
    return sound_one(query.bind(run, sha256), "blob_references", blob_of);
  }
  Result<std::int64_t> held_by(std::string_view run) {
    Statement query(db, "SELECT coalesce(sum(bytes), 0) FROM blob_references WHERE run = ?1");
    if (!query.bind(run).next()) return fail(query.status());
    return query.integer(0);
  }
  Status insert(const Blob& row) {
    Statement insert(db,
                     "INSERT INTO blob_references (" REFERENCE_COLUMNS ", checksum) VALUES (" REFERENCE_VALUES
                     ", " ROW_SUM("blob_references", REFERENCE_VALUES) ")");
    return insert.bind(row.run, row.sha256, row.conversation, row.media_type, row.bytes, row.at).run();
  }

  Result<std::optional<StoredBlob>> find_content(std::string_view sha256) {
    Statement query(db, "SELECT " CONTENT_COLUMNS ", " ROW_DAMAGED(
                            "checksum", "blobs", CONTENT_COLUMNS) " FROM blobs WHERE sha256 = ?1");
    return sound_one(query.bind(sha256), "blobs", [](const Statement& row) {
      StoredBlob out;
      row.read(out.sha256, out.bytes, out.whole, out.at);
      return out;
    });
  }
  Status insert(const StoredBlob& row) {
    Statement insert(db, "INSERT INTO blobs (" CONTENT_COLUMNS ", checksum) VALUES (" CONTENT_VALUES
                         ", " ROW_SUM("blobs", CONTENT_VALUES) ")");
    return insert.bind(row.sha256, row.bytes, row.whole, row.at).run();
  }
  Status set_whole(std::string_view sha256) {
    Statement update(db, "UPDATE blobs SET whole = 1, checksum = " ROW_SUM(
                             "blobs", "sha256, bytes, 1, at") " WHERE sha256 = ?1");
    return update.bind(sha256).run();
  }
  Status insert_piece(std::string_view sha256, std::uint64_t n, std::string_view bytes) {
    Statement insert(db, "INSERT OR IGNORE INTO blob_pieces (" PIECE_COLUMNS
                         ", checksum) VALUES (" PIECE_VALUES ", " ROW_SUM("blob_pieces", PIECE_VALUES) ")");
    return insert.bind(sha256, n, bytes).run();
  }

  // The one of the run, or else of the conversation.
  Result<std::optional<Blob>> find(std::string_view run, std::string_view conversation, std::string_view from,
                                   std::string_view end) {
    Statement own(db, READ_REFERENCES "WHERE run = ?1 AND sha256 >= ?2 AND sha256 < ?3 LIMIT 1");
    auto found = sound_one(own.bind(run, from, end), "blob_references", blob_of);
    if (!found || *found || conversation.empty()) return found;
    Statement shared(db, READ_REFERENCES "WHERE conversation = ?1 AND sha256 >= ?2 AND sha256 < ?3 LIMIT 1");
    return sound_one(shared.bind(conversation, from, end), "blob_references", blob_of);
  }
  Result<std::string> read(std::string_view sha256, const rules::BlobRange& range) {
    Statement query(
        db, "SELECT " PIECE_COLUMNS ", " ROW_DAMAGED(
                "checksum", "blob_pieces",
                PIECE_COLUMNS) " FROM blob_pieces WHERE sha256 = ?1 AND n BETWEEN ?2 AND ?3 ORDER BY n");
    query.bind(sha256, range.first_piece, range.last_piece);
    std::string out;
    while (query.next()) {
      if (last_column_says_damaged(query)) return fail(damaged_row("blob_pieces", sha256));
      out += query.view(2);
    }
    if (!query.status().ok()) return fail(query.status());
    out.erase(0, range.skip);
    if (out.size() > range.length) out.resize(range.length);
    return out;
  }
};

#define ONLY_OF_RUN                                                                                          \
  "(SELECT sha256 FROM blob_references AS own WHERE run = ?1 AND NOT EXISTS (SELECT 1 FROM blob_references " \
  "AS other WHERE other.sha256 = own.sha256 AND other.run <> ?1))"

}  // namespace

Status forget_blobs(Database& db, std::string_view run) {
  constexpr sqlite::Literal kSteps[] = {"DELETE FROM blob_pieces WHERE sha256 IN " ONLY_OF_RUN,
                                        "DELETE FROM blobs WHERE sha256 IN " ONLY_OF_RUN,
                                        "DELETE FROM blob_references WHERE run = ?1"};
  for (sqlite::Literal sql : kSteps) {
    Statement step(db, sql);
    if (Status status = step.bind(run).run(); !status.ok()) return status;
  }
  return {};
}

Result<Blob> SqliteStore::put_blob(const BlobWrite& blob) {
  if (Status status = rules::check_blob(blob); !status.ok()) return fail(status);
  return calls::put_blob(blob, sha256_hex(blob.bytes), clock_.now(), [this](auto work) {
    return commit_.run([&](Database& db) { return work(BlobRows{db}); });
  });
}

Result<Blob> SqliteStore::blob(std::string_view run, std::string_view conversation, std::string_view id) {
  return reading<Blob>([&](Database& db) { return calls::find_blob(BlobRows{db}, run, conversation, id); });
}

Result<std::string> SqliteStore::read_blob(std::string_view sha256, std::uint64_t offset,
                                           std::size_t length) {
  Result<std::optional<rules::BlobRange>> range = rules::blob_range(offset, length);
  if (!range) return fail(range.error());
  if (!*range) return std::string();
  return reading<std::string>([&](Database& db) { return BlobRows{db}.read(sha256, **range); });
}

}  // namespace holdfast::platform
