#include "platform_sqlite/stream_log.h"

#include <algorithm>
#include <limits>

namespace holdfast::platform {

namespace {

// Pages of the file that one transaction gives back to the disk at most.
constexpr const char* kGiveBack = "PRAGMA incremental_vacuum(2000)";

#define EVENT_COLUMNS "seq, type, data, at, step, attempt, start"

Result<rules::LogEnd> end_of(Database& db, std::string_view run) {
  Statement query(db, "SELECT seq, key FROM events WHERE run = ?1 ORDER BY seq DESC LIMIT 1");
  Result<std::optional<rules::LogEnd>> found = query.bind(run).one([](const Statement& row) {
    rules::LogEnd out;
    row.read(out.seq, out.key);
    return out;
  });
  if (!found) return fail(found.error());
  return found->value_or(rules::LogEnd());
}

Result<std::uint32_t> used_attempt(Database& db, std::string_view run, std::string_view step) {
  Statement query(db, "SELECT coalesce(max(attempt), 0) FROM events WHERE run = ?1 AND step = ?2");
  if (!query.bind(run, step).next()) return fail(query.status());
  return static_cast<std::uint32_t>(query.integer(0));
}

Status insert_entry(Database& db, const LogEntry& entry, std::uint64_t seq) {
  Statement insert(db,
                   "INSERT INTO events (run, seq, type, data, at, key, step, attempt, start) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  insert.bind(entry.run, seq, entry.type, entry.data, entry.at);
  insert.bind(entry.key.empty() ? std::nullopt : std::optional(entry.key));
  if (entry.step) insert.bind(*entry.step, entry.attempt, entry.start);  // else NULL
  return insert.run();
}

}  // namespace

Event StreamLog::event_of(const Statement& row, std::string_view run) const {
  Event event;
  event.run = std::string(run);
  std::optional<std::string> step;
  std::uint32_t attempt = 0;
  std::uint64_t start = 0;
  row.read(event.seq, event.type, event.data, event.at, step, attempt, start);
  event.cursor = rules::cursor_of(epoch_, run, event.seq);
  if (step) event.data = rules::delta_json(*step, attempt, start, event.data, event.data.empty());
  return event;
}

template <typename Work>
Status StreamLog::commit(Work work) {
  Status status = db_->run("BEGIN IMMEDIATE");
  if (status.ok()) status = work();
  if (status.ok()) return commit_or_stop(*db_, fatal_);
  if (db_->in_transaction()) (void)db_->execute("ROLLBACK");
  return status;
}

Result<std::vector<StreamLog::Written>> StreamLog::write(std::span<LogEntry* const> entries) {
  std::vector<Written> out;
  Status status = commit([&]() -> Status {
    for (LogEntry* entry : entries) {
      Result<Written> one = append(*entry);
      if (!one) return one.error();
      out.push_back(std::move(*one));
    }
    return {};
  });
  if (!status.ok()) return fail(std::move(status));
  return out;
}

Result<StreamLog::Written> StreamLog::append(LogEntry& entry) {
  Database& db = *db_;
  if (entry.opens) {
    Result<std::uint32_t> used = used_attempt(db, entry.run, *entry.step);
    if (!used) return fail(used.error());
    *entry.opened = rules::attempt_number(entry.attempt, *used);
  }
  if (entry.opened) entry.attempt = *entry.opened;
  if (!entry.key.empty()) {
    Result<std::optional<Event>> known = find_in(db, entry.run, entry.key);
    if (!known) return fail(known.error());
    if (*known) return Written{Fate::kKnown, std::move(**known)};
  }
  Result<rules::LogEnd> end = end_of(db, entry.run);
  if (!end) return fail(end.error());
  const std::optional<std::uint64_t> seq = rules::next_seq(*end);
  if (!seq) return Written{};
  if (Status status = insert_entry(db, entry, *seq); !status.ok()) return fail(status);
  Written out;
  out.fate = Fate::kWritten;
  out.event.run = entry.run;
  out.event.seq = *seq;
  out.event.type = entry.type;
  out.event.data = entry.step
                       ? rules::delta_json(*entry.step, entry.attempt, entry.start, entry.data, entry.opens)
                       : entry.data;
  out.event.cursor = rules::cursor_of(epoch_, entry.run, *seq);
  out.event.at = entry.at;
  return out;
}

Result<std::optional<Event>> StreamLog::find_in(Database& db, std::string_view run,
                                                std::string_view key) const {
  Statement query(db, "SELECT " EVENT_COLUMNS " FROM events WHERE run = ?1 AND key = ?2");
  return query.bind(run, key).one([&](const Statement& row) { return event_of(row, run); });
}

Result<std::optional<Event>> StreamLog::find(std::string_view run, std::string_view key) {
  Result<Readers::Lease> db = readers_.take();
  if (!db) return fail(db.error());
  return find_in(**db, run, key);
}

// One step of the index to each run, however long its log. '%' is the character behind '$'.
Result<std::vector<std::string>> StreamLog::runs(std::string_view after, std::uint32_t limit) {
  Result<Readers::Lease> lease = readers_.take();
  if (!lease) return fail(lease.error());
  Database& db = **lease;
  std::vector<std::string> found;
  std::string last(after);
  while (found.size() < limit) {
    Statement query(
        db, "SELECT run FROM events WHERE run > ?1 AND (run < '$' OR run >= '%') ORDER BY run LIMIT 1");
    Result<std::optional<std::string>> next =
        query.bind(last).one([](const Statement& row) { return row.text(0); });
    if (!next) return fail(next.error());
    if (!*next) break;
    last = **next;
    found.push_back(last);
  }
  return found;
}

Status StreamLog::erase(const std::vector<std::string>& runs) {
  return commit([&]() -> Status {
    for (const std::string& run : runs) {
      Status status = Statement(*db_, "DELETE FROM events WHERE run = ?1").bind(run).run();
      if (!status.ok()) return status;
    }
    return db_->execute(kGiveBack);
  });
}

Result<EventPage> StreamLog::read(std::string_view run, std::string_view cursor, std::size_t limit) {
  Result<Readers::Lease> lease = readers_.take();
  if (!lease) return fail(lease.error());
  Database& db = **lease;
  EventPage page;
  std::uint64_t after = 0;
  if (!cursor.empty()) {
    Result<rules::LogEnd> end = end_of(db, run);
    if (!end) return fail(end.error());
    const std::optional<std::uint64_t> known = rules::seq_of(cursor, epoch_, run, end->seq);
    page.reset = !known.has_value();
    after = known.value_or(0);
  }
  std::size_t bytes = 0;
  limit = std::min(limit, kMaxQueuedEvents);
  Statement query(db,
                  "SELECT " EVENT_COLUMNS " FROM events WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
  query.bind(run, after, limit);
  while (bytes < rules::kMaxPageBytes && query.next()) {
    page.events.push_back(event_of(query, run));
    bytes += page.events.back().data.size();
  }
  if (!query.status().ok()) return fail(query.status());
  page.more = bytes >= rules::kMaxPageBytes || page.events.size() >= limit;
  page.cursor = page.events.empty() ? rules::cursor_of(epoch_, run, after) : page.events.back().cursor;
  return page;
}

Result<std::string> StreamLog::end(std::string_view run) {
  Result<Readers::Lease> db = readers_.take();
  if (!db) return fail(db.error());
  Result<rules::LogEnd> last = end_of(**db, run);
  if (!last) return fail(last.error());
  return rules::cursor_of(epoch_, run, last->seq);
}

Result<ChunkPage> StreamLog::read_chunks(std::string_view run, std::string_view step, std::uint32_t attempt,
                                         std::uint64_t offset, std::size_t limit) {
  Result<Readers::Lease> lease = readers_.take();
  if (!lease) return fail(lease.error());
  Database& db = **lease;
  Statement newest(
      db,
      "SELECT attempt, start + length(CAST(data AS BLOB)) FROM events WHERE run = ?1 AND step = ?2 "
      "ORDER BY attempt DESC, start DESC, seq DESC LIMIT 1");
  std::uint32_t last_attempt = 0;
  std::uint64_t end = 0;
  if (newest.bind(run, step).next()) newest.read(last_attempt, end);
  if (!newest.status().ok()) return fail(newest.status());
  ChunkPage page = rules::chunk_page(attempt, offset, last_attempt, end);

  // From the chunk in which the offset lies.
  Statement query(
      db,
      "SELECT start, data FROM events WHERE run = ?1 AND step = ?2 AND attempt = ?3 AND data != '' "
      "AND start >= "
      "(SELECT coalesce(max(start), 0) FROM events WHERE run = ?1 AND step = ?2 AND attempt = ?3 AND "
      "start <= ?4) "
      "ORDER BY start LIMIT ?5");
  query.bind(run, step, page.attempt, page.offset, std::min(limit, kMaxQueuedEvents) + 1);
  while (page.chunks.size() < limit && query.next()) {
    rules::add_chunk(page, static_cast<std::uint64_t>(query.integer(0)), query.text(1));
  }
  if (!query.status().ok()) return fail(query.status());
  return page;
}

std::uint64_t StreamLog::seq_of(std::string_view run, std::string_view cursor) const {
  return rules::seq_of(cursor, epoch_, run, std::numeric_limits<std::uint64_t>::max()).value_or(0);
}

}  // namespace holdfast::platform
