// What agents remember, as rows: entries, their versions, and the terms by which they are found.

#include "platform/memory_rules.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define ENTRY_COLUMNS "subject, name, version, text, run, key, at, forgotten, bytes"
#define ENTRY_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
#define READ_ENTRIES \
  "SELECT " ENTRY_COLUMNS ", " ROW_DAMAGED("checksum", "memories", ENTRY_COLUMNS) " FROM memories "
#define VERSION_COLUMNS "subject, name, version, text, run, key, at"
#define VERSION_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7"
#define TERM_COLUMNS "subject, term, name, times"
#define TERM_VALUES "?1, ?2, ?3, ?4"
// Behind every text that begins with the parameter: no character of Unicode is larger.
#define BEHIND(parameter) parameter " || char(1114111)"

MemoryEntry entry_of(const Statement& row) {
  MemoryEntry out;
  row.read(out.subject, out.name, out.version, out.text, out.run, out.key, out.at, out.forgotten);
  return out;
}

struct MemoryRows {
  Database& db;

  Result<std::optional<MemoryEntry>> find(std::string_view subject, std::string_view name) {
    Statement query(db, READ_ENTRIES "WHERE subject = ?1 AND name = ?2");
    return sound_one(query.bind(subject, name), "memories", entry_of);
  }
  Result<bool> has_version(std::string_view subject, std::string_view name, std::string_view key) {
    Statement query(db, "SELECT 1 FROM memory_versions WHERE subject = ?1 AND name = ?2 AND key = ?3");
    const bool found = query.bind(subject, name, key).next();
    if (!query.status().ok()) return fail(query.status());
    return found;
  }
  Result<rules::MemoryTotals> totals(std::string_view subject, std::string_view without) {
    Statement query(db,
                    "SELECT count(*), coalesce(sum(bytes), 0) FROM memories WHERE subject = ?1 AND forgotten "
                    "= 0 AND name <> ?2");
    if (!query.bind(subject, without).next()) return fail(query.status());
    rules::MemoryTotals out;
    query.read(out.entries, out.bytes);
    return out;
  }
  Status insert(const MemoryEntry& row) {
    Statement insert(db, "INSERT INTO memories (" ENTRY_COLUMNS ", checksum) VALUES (" ENTRY_VALUES
                         ", " ROW_SUM("memories", ENTRY_VALUES) ")");
    return bind_entry(insert, row).run();
  }
  Status update(const MemoryEntry& row) {
    Statement update(db, "INSERT OR REPLACE INTO memories (" ENTRY_COLUMNS ", checksum) VALUES (" ENTRY_VALUES
                         ", " ROW_SUM("memories", ENTRY_VALUES) ")");
    return bind_entry(update, row).run();
  }
  Status keep_version(const MemoryEntry& row) {
    Statement insert(db, "INSERT INTO memory_versions (" VERSION_COLUMNS ", checksum) VALUES (" VERSION_VALUES
                         ", " ROW_SUM("memory_versions", VERSION_VALUES) ")");
    return insert.bind(row.subject, row.name, row.version, row.text, row.run, row.key, row.at).run();
  }
  Status drop_versions(std::string_view subject, std::string_view name, std::int64_t up_to) {
    Statement drop(db, "DELETE FROM memory_versions WHERE subject = ?1 AND name = ?2 AND version <= ?3");
    return drop.bind(subject, name, up_to).run();
  }
  Status drop_terms(std::string_view subject, std::string_view name) {
    Statement drop(db, "DELETE FROM memory_terms WHERE subject = ?1 AND name = ?2");
    return drop.bind(subject, name).run();
  }
  Status insert_term(std::string_view subject, std::string_view name, std::string_view term,
                     std::int64_t times) {
    Statement insert(db, "INSERT INTO memory_terms (" TERM_COLUMNS ", checksum) VALUES (" TERM_VALUES
                         ", " ROW_SUM("memory_terms", TERM_VALUES) ")");
    return insert.bind(subject, term, name, times).run();
  }
  Result<std::vector<rules::TermHit>> hits(std::string_view subject, std::string_view term) {
    Statement query(db,
                    "SELECT term, name, times FROM memory_terms WHERE subject = ?1 AND term >= ?2 AND "
                    "term < " BEHIND("?2") " ORDER BY term, name LIMIT 20000");
    return query.bind(subject, term).all([](const Statement& row) {
      rules::TermHit out;
      row.read(out.term, out.name, out.times);
      return out;
    });
  }
  Status erase(std::string_view subject) {
    constexpr sqlite::Literal kSteps[] = {"DELETE FROM memory_terms WHERE subject = ?1",
                                          "DELETE FROM memory_versions WHERE subject = ?1",
                                          "DELETE FROM memories WHERE subject = ?1"};
    for (sqlite::Literal sql : kSteps) {
      Statement step(db, sql);
      if (Status status = step.bind(subject).run(); !status.ok()) return status;
    }
    return {};
  }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }

 private:
  static Statement& bind_entry(Statement& statement, const MemoryEntry& row) {
    return statement.bind(row.subject, row.name, row.version, row.text, row.run, row.key, row.at,
                          row.forgotten, row.text.size());
  }
};

}  // namespace

Result<MemoryEntry> SqliteStore::remember(const MemoryWrite& write_in) {
  if (Status status = rules::check_memory(write_in); !status.ok()) return fail(status);
  return write<MemoryEntry>(
      [&](Database& db) { return calls::remember(MemoryRows{db}, write_in, clock_.now()); });
}

Result<bool> SqliteStore::forget_memory(std::string_view subject, std::string_view name) {
  return write<bool>(
      [&](Database& db) { return calls::forget_memory(MemoryRows{db}, subject, name, clock_.now()); });
}

Result<std::vector<MemoryEntry>> SqliteStore::search_memory(std::string_view subject, std::string_view query,
                                                            std::uint32_t limit) {
  return reading<std::vector<MemoryEntry>>([&](Database& db) {
    return calls::search_memory(MemoryRows{db}, subject, query, rules::page_size(limit));
  });
}

Result<std::vector<MemoryEntry>> SqliteStore::memories(std::string_view subject, std::string_view after,
                                                       std::uint32_t limit) {
  return reading<std::vector<MemoryEntry>>([&](Database& db) {
    Statement query(db, READ_ENTRIES "WHERE subject = ?1 AND forgotten = 0 AND name > ?2 ORDER BY name");
    query.bind(subject, after);
    return sound_all(query, "memories", damage_, rules::page_size(limit), entry_of);
  });
}

Result<std::vector<MemoryEntry>> SqliteStore::memory_versions(std::string_view subject,
                                                              std::string_view name) {
  return reading<std::vector<MemoryEntry>>(
      [&](Database& db) -> Result<std::vector<MemoryEntry>> {
        Result<std::optional<MemoryEntry>> newest = MemoryRows{db}.find(subject, name);
        if (!newest) return fail(newest.error());
        std::vector<MemoryEntry> out;
        if (!*newest) return out;
        out.push_back(std::move(**newest));
        Statement query(db, "SELECT " VERSION_COLUMNS ", " ROW_DAMAGED("checksum", "memory_versions",
                                                                   VERSION_COLUMNS)
                        " FROM memory_versions WHERE subject = ?1 AND name = ?2 ORDER BY version DESC");
        query.bind(subject, name);
        Result<std::vector<MemoryEntry>> older =
            sound_all(query, "memory_versions", damage_, kMaxPage, [](const Statement& row) {
              MemoryEntry entry;
              row.read(entry.subject, entry.name, entry.version, entry.text, entry.run, entry.key, entry.at);
              return entry;
            });
        if (!older) return older;
        for (MemoryEntry& entry : *older) out.push_back(std::move(entry));
        return out;
      });
}

Result<std::vector<MemorySubject>> SqliteStore::memory_subjects(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<MemorySubject>>([&](Database& db) {
    Statement query(db,
                    "SELECT subject, count(*), sum(bytes), max(at) FROM memories WHERE subject > ?1 AND "
                    "forgotten = 0 GROUP BY subject ORDER BY subject LIMIT ?2");
    return query.bind(after, rules::page_size(limit)).all([](const Statement& row) {
      MemorySubject out;
      row.read(out.subject, out.entries, out.bytes, out.updated_at);
      return out;
    });
  });
}

Result<std::int64_t> SqliteStore::erase_memory(std::string_view subject, const AuditRow& row) {
  return write<std::int64_t>([&](Database& db) {
    AuditRow written = row;
    written.at = clock_.now();
    return calls::erase_memory(MemoryRows{db}, subject, std::move(written));
  });
}

}  // namespace holdfast::platform
