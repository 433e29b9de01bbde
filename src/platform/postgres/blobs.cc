// Blobs as rows: contents, their pieces, and the runs that refer to them.

#include "base/sha256.h"
#include "platform/blob_rules.h"
#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::StoredBlob;

#define REFERENCE_COLUMNS "run, sha256, conversation, media_type, bytes, at"
#define READ_REFERENCES "SELECT " REFERENCE_COLUMNS " FROM blob_references "

Blob blob_of(const Statement& row) {
  Blob out;
  row.read(out.run, out.sha256, out.conversation, out.media_type, out.bytes, out.at);
  return out;
}

struct BlobRows {
  Connection& db;

  Result<std::optional<Blob>> find_reference(std::string_view run, std::string_view sha256) {
    Statement query(db, READ_REFERENCES "WHERE run = $1 AND sha256 = $2");
    return query.bind(run, sha256).one(blob_of);
  }
  Result<std::int64_t> held_by(std::string_view run) {
    Statement query(db, "SELECT coalesce(sum(bytes), 0)::bigint FROM blob_references WHERE run = $1");
    Result<std::optional<std::int64_t>> held =
        query.bind(run).one([](const Statement& row) { return row.integer(0); });
    if (!held) return fail(held.error());
    return held->value_or(0);
  }
  Status insert(const Blob& row) {
    Statement insert(db,
                     "INSERT INTO blob_references (" REFERENCE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)");
    return insert.bind(row.run, row.sha256, row.conversation, row.media_type, row.bytes, row.at).run();
  }

  Result<std::optional<StoredBlob>> find_content(std::string_view sha256) {
    Statement query(db, "SELECT sha256, bytes, whole, at FROM blobs WHERE sha256 = $1");
    return query.bind(sha256).one([](const Statement& row) {
      StoredBlob out;
      row.read(out.sha256, out.bytes, out.whole, out.at);
      return out;
    });
  }
  Status insert(const StoredBlob& row) {
    Statement insert(db, "INSERT INTO blobs (sha256, bytes, whole, at) VALUES ($1, $2, $3, $4)");
    return insert.bind(row.sha256, row.bytes, row.whole, row.at).run();
  }
  Status set_whole(std::string_view sha256) {
    Statement update(db, "UPDATE blobs SET whole = 1 WHERE sha256 = $1");
    return update.bind(sha256).run();
  }
  Status insert_piece(std::string_view sha256, std::uint64_t n, std::string_view bytes) {
    Statement insert(db,
                     "INSERT INTO blob_pieces (sha256, n, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
    return insert.bind(sha256, n, bytes).run();
  }

  // The one of the run, or else of the conversation.
  Result<std::optional<Blob>> find(std::string_view run, std::string_view conversation, std::string_view from,
                                   std::string_view end) {
    Statement own(db, READ_REFERENCES "WHERE run = $1 AND sha256 >= $2 AND sha256 < $3 LIMIT 1");
    auto found = own.bind(run, from, end).one(blob_of);
    if (!found || *found || conversation.empty()) return found;
    Statement shared(db, READ_REFERENCES "WHERE conversation = $1 AND sha256 >= $2 AND sha256 < $3 LIMIT 1");
    return shared.bind(conversation, from, end).one(blob_of);
  }
  Result<std::string> read(std::string_view sha256, const rules::BlobRange& range) {
    Statement query(db, "SELECT bytes FROM blob_pieces WHERE sha256 = $1 AND n BETWEEN $2 AND $3 ORDER BY n");
    query.bind(sha256, range.first_piece, range.last_piece);
    std::string out;
    while (query.next()) out += query.view(0);
    if (!query.status().ok()) return fail(query.status());
    out.erase(0, range.skip);
    if (out.size() > range.length) out.resize(range.length);
    return out;
  }
};

#define ONLY_OF_RUN                                                                                          \
  "(SELECT sha256 FROM blob_references AS own WHERE run = $1 AND NOT EXISTS (SELECT 1 FROM blob_references " \
  "AS other WHERE other.sha256 = own.sha256 AND other.run <> $1))"

}  // namespace

Status forget_blobs(Connection& db, std::string_view run) {
  constexpr postgres::Literal kSteps[] = {"DELETE FROM blob_pieces WHERE sha256 IN " ONLY_OF_RUN,
                                          "DELETE FROM blobs WHERE sha256 IN " ONLY_OF_RUN,
                                          "DELETE FROM blob_references WHERE run = $1"};
  for (postgres::Literal sql : kSteps) {
    Statement step(db, sql);
    if (Status status = step.bind(run).run(); !status.ok()) return status;
  }
  return {};
}

Result<Blob> PostgresStore::put_blob(const BlobWrite& blob) {
  if (Status status = rules::check_blob(blob); !status.ok()) return fail(status);
  return calls::put_blob(blob, sha256_hex(blob.bytes), clock_.now(), [this](auto work) {
    return commit_.run([&](Connection& db) { return work(BlobRows{db}); });
  });
}

Result<Blob> PostgresStore::blob(std::string_view run, std::string_view conversation, std::string_view id) {
  return reading<Blob>([&](Connection& db) { return calls::find_blob(BlobRows{db}, run, conversation, id); });
}

Result<std::string> PostgresStore::read_blob(std::string_view sha256, std::uint64_t offset,
                                             std::size_t length) {
  Result<std::optional<rules::BlobRange>> range = rules::blob_range(offset, length);
  if (!range) return fail(range.error());
  if (!*range) return std::string();
  return reading<std::string>([&](Connection& db) { return BlobRows{db}.read(sha256, **range); });
}

}  // namespace holdfast::platform
