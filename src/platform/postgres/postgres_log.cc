#include "platform_postgres/postgres_log.h"

#include <algorithm>
#include <limits>
#include <map>

#include "platform/stream_rules.h"
#include "postgres/statement.h"

namespace holdfast::platform {

using postgres::Array;
using postgres::Statement;
using postgres::Value;

namespace {

#define EVENT_COLUMNS "seq, type, data, at, step, attempt, start"

using Pair = std::pair<std::string, std::string>;

Event event_of(const Statement& row, std::string_view run, std::string_view epoch) {
  Event event;
  event.run = std::string(run);
  std::optional<std::string> step;
  std::uint32_t attempt = 0;
  std::uint64_t start = 0;
  row.read(event.seq, event.type, event.data, event.at, step, attempt, start);
  event.cursor = rules::cursor_of(epoch, run, event.seq);
  if (step) event.data = rules::delta_json(*step, attempt, start, event.data, event.data.empty());
  return event;
}

Result<std::optional<Event>> find_in(Connection& db, std::string_view run, std::string_view key,
                                     std::string_view epoch) {
  Statement query(
      db, "SELECT " EVENT_COLUMNS " FROM events WHERE run = $1 AND sha256(key) = sha256($2) AND key = $2");
  return query.bind(run, key).one([&](const Statement& row) { return event_of(row, run, epoch); });
}

Result<rules::LogEnd> end_of(Connection& db, std::string_view run) {
  Statement query(db, "SELECT seq, key FROM events WHERE run = $1 ORDER BY seq DESC LIMIT 1");
  Result<std::optional<rules::LogEnd>> found = query.bind(run).one([](const Statement& row) {
    rules::LogEnd out;
    row.read(out.seq, out.key);
    return out;
  });
  if (!found) return fail(found.error());
  return found->value_or(rules::LogEnd());
}

Array bytes_of(const std::map<Pair, std::uint32_t>& pairs, std::string Pair::* which) {
  Array out(Array::Of::kBytes);
  for (const auto& [pair, _] : pairs) out.add(std::string_view(pair.*which));
  return out;
}

// The rows that a batch adds, column by column.
struct Rows {
  Array runs{Array::Of::kBytes};
  Array seqs{Array::Of::kIntegers};
  Array types{Array::Of::kBytes};
  Array data{Array::Of::kBytes};
  Array times{Array::Of::kIntegers};
  Array keys{Array::Of::kBytes};
  Array steps{Array::Of::kBytes};
  Array attempts{Array::Of::kIntegers};
  Array starts{Array::Of::kIntegers};
  bool any = false;

  void add(const LogEntry& entry, std::uint64_t seq) {
    any = true;
    runs.add(std::string_view(entry.run));
    seqs.add(static_cast<std::int64_t>(seq));
    types.add(std::string_view(entry.type));
    data.add(std::string_view(entry.data));
    times.add(static_cast<std::int64_t>(entry.at.time_since_epoch().count()));
    keys.add(entry.key.empty() ? Value(nullptr) : Value(std::string_view(entry.key)));
    steps.add(entry.step ? Value(std::string_view(*entry.step)) : Value(nullptr));
    attempts.add(entry.step ? Value(std::int64_t{entry.attempt}) : Value(nullptr));
    starts.add(entry.step ? Value(static_cast<std::int64_t>(entry.start)) : Value(nullptr));
  }

  Status insert(Connection& db) const {
    if (!any) return {};
    Statement statement(
        db,
        "INSERT INTO events (run, seq, type, data, at, key, step, attempt, start) "
        "SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], "
        "$6::bytea[], $7::bytea[], $8::bigint[], $9::bigint[])");
    return statement.bind(runs, seqs, types, data, times, keys, steps, attempts, starts).run();
  }
};

}  // namespace

struct PostgresLog::Before {
  std::map<std::string, rules::LogEnd> ends;
  std::map<Pair, Event> known;             // by run and key
  std::map<Pair, std::uint32_t> attempts;  // by run and step: the highest number that is used
};

Result<PostgresLog::Before> PostgresLog::look(Connection& db, std::span<LogEntry* const> entries) const {
  Before out;
  std::map<Pair, std::uint32_t> keys;
  for (const LogEntry* entry : entries) {
    out.ends.try_emplace(entry->run);
    if (!entry->key.empty()) keys.try_emplace({entry->run, entry->key});
    if (entry->opens) out.attempts.try_emplace({entry->run, *entry->step});
  }
  Array runs(Array::Of::kBytes);
  for (const auto& [run, _] : out.ends) runs.add(std::string_view(run));
  Statement ends(
      db,
      "SELECT r.run, e.seq, e.key FROM unnest($1::bytea[]) AS r(run) CROSS JOIN LATERAL (SELECT seq, "
      "key FROM events WHERE events.run = r.run ORDER BY seq DESC LIMIT 1) AS e");
  ends.bind(runs);
  while (ends.next()) ends.read_from(1, out.ends[ends.text(0)].seq, out.ends[ends.text(0)].key);
  if (!ends.status().ok()) return fail(ends.status());

  for (const auto& [pair, _] : keys) {
    Result<std::optional<Event>> event = find_in(db, pair.first, pair.second, epoch_);
    if (!event) return fail(event.error());
    if (*event) out.known.emplace(pair, std::move(**event));
  }
  if (out.attempts.empty()) return out;
  Statement used(
      db,
      "SELECT s.run, s.step, (SELECT coalesce(max(attempt), 0) FROM events WHERE events.run = s.run AND "
      "events.step = s.step) FROM unnest($1::bytea[], $2::bytea[]) AS s(run, step)");
  used.bind(bytes_of(out.attempts, &Pair::first), bytes_of(out.attempts, &Pair::second));
  while (used.next()) used.read_from(2, out.attempts[{used.text(0), used.text(1)}]);
  if (!used.status().ok()) return fail(used.status());
  return out;
}

PostgresLog::Written PostgresLog::place(LogEntry& entry, std::uint32_t asked, Before& before) const {
  if (entry.opens) *entry.opened = rules::attempt_number(asked, before.attempts[{entry.run, *entry.step}]);
  if (entry.opened) entry.attempt = *entry.opened;
  if (!entry.key.empty()) {
    if (const auto known = before.known.find({entry.run, entry.key}); known != before.known.end())
      return {Fate::kKnown, known->second};
  }
  rules::LogEnd& end = before.ends[entry.run];
  const std::optional<std::uint64_t> seq = rules::next_seq(end);
  if (!seq) return {};
  end = {*seq, entry.key};
  if (entry.opens) before.attempts[{entry.run, *entry.step}] = entry.attempt;
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
  if (!entry.key.empty()) before.known.emplace(Pair{entry.run, entry.key}, out.event);
  return out;
}

Result<std::vector<PostgresLog::Written>> PostgresLog::write(std::span<LogEntry* const> entries) {
  std::vector<std::uint32_t> asked;
  for (const LogEntry* entry : entries) asked.push_back(entry->attempt);
  std::vector<Written> out;
  Status status = session_->transact([&](Connection& db) -> Status {
    out.clear();
    Result<Before> before = look(db, entries);
    if (!before) return before.error();
    Rows rows;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      out.push_back(place(*entries[i], asked[i], *before));
      if (out.back().fate == Fate::kWritten) rows.add(*entries[i], out.back().event.seq);
    }
    return rows.insert(db);
  });
  if (!status.ok()) return fail(std::move(status));
  return out;
}

Status PostgresLog::erase(const std::vector<std::string>& runs) {
  Array gone(Array::Of::kBytes);
  for (const std::string& run : runs) gone.add(std::string_view(run));
  return session_->transact([&](Connection& db) {
    return Statement(db, "DELETE FROM events WHERE run = ANY ($1::bytea[])").bind(gone).run();
  });
}

Result<std::optional<Event>> PostgresLog::find(std::string_view run, std::string_view key) {
  return readers_.run<std::optional<Event>>([&](Connection& db) { return find_in(db, run, key, epoch_); });
}

// One step of the index to each run, however long its log. '%' is the character behind '$'.
Result<std::vector<std::string>> PostgresLog::runs(std::string_view after, std::uint32_t limit) {
  return readers_.run<std::vector<std::string>>([&](Connection& db) {
    Statement query(
        db,
        "WITH RECURSIVE logs(run) AS ("
        "(SELECT run FROM events WHERE run > $1 AND (run < '$' OR run >= '%') ORDER BY run LIMIT 1) "
        "UNION ALL SELECT (SELECT events.run FROM events WHERE events.run > logs.run AND "
        "(events.run < '$' OR events.run >= '%') ORDER BY events.run LIMIT 1) FROM logs "
        "WHERE logs.run IS NOT NULL) "
        "SELECT run FROM logs WHERE run IS NOT NULL LIMIT $2");
    return query.bind(after, limit).all([](const Statement& row) { return row.text(0); });
  });
}

Result<EventPage> PostgresLog::read(std::string_view run, std::string_view cursor, std::size_t limit) {
  return readers_.run<EventPage>([&](Connection& db) -> Result<EventPage> {
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
    const std::size_t most = std::min(limit, kMaxQueuedEvents);
    // Rows behind a full page are not sent.
    Statement query(
        db, "SELECT " EVENT_COLUMNS
            " FROM (SELECT *, sum(octet_length(data)) OVER (ORDER BY seq) - "
            "octet_length(data) AS before FROM events WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3) "
            "AS e WHERE before < $4::bigint ORDER BY seq");
    query.bind(run, after, most, rules::kMaxPageBytes);
    while (bytes < rules::kMaxPageBytes && query.next()) {
      page.events.push_back(event_of(query, run, epoch_));
      bytes += page.events.back().data.size();
    }
    if (!query.status().ok()) return fail(query.status());
    page.more = bytes >= rules::kMaxPageBytes || page.events.size() >= most;
    page.cursor = page.events.empty() ? rules::cursor_of(epoch_, run, after) : page.events.back().cursor;
    return page;
  });
}

Result<std::string> PostgresLog::end(std::string_view run) {
  return readers_.run<std::string>([&](Connection& db) -> Result<std::string> {
    Result<rules::LogEnd> last = end_of(db, run);
    if (!last) return fail(last.error());
    return rules::cursor_of(epoch_, run, last->seq);
  });
}

Result<ChunkPage> PostgresLog::read_chunks(std::string_view run, std::string_view step, std::uint32_t attempt,
                                           std::uint64_t offset, std::size_t limit) {
  return readers_.run<ChunkPage>([&](Connection& db) -> Result<ChunkPage> {
    Statement newest(db,
                     "SELECT attempt, start + octet_length(data) FROM events WHERE run = $1 AND step = $2 "
                     "ORDER BY attempt DESC, start DESC, seq DESC LIMIT 1");
    const auto last = newest.bind(run, step).one([](const Statement& row) {
      return std::pair(static_cast<std::uint32_t>(row.integer(0)),
                       static_cast<std::uint64_t>(row.integer(1)));
    });
    if (!last) return fail(last.error());
    const auto [last_attempt, end] = last->value_or(std::pair(std::uint32_t{0}, std::uint64_t{0}));
    ChunkPage page = rules::chunk_page(attempt, offset, last_attempt, end);

    // From the chunk in which the offset lies.
    Statement query(
        db,
        "SELECT start, data FROM events WHERE run = $1 AND step = $2 AND attempt = $3 AND data != '' "
        "AND start >= (SELECT coalesce(max(start), 0) FROM events WHERE run = $1 AND step = $2 AND "
        "attempt = $3 AND start <= $4) ORDER BY start LIMIT $5");
    query.bind(run, step, page.attempt, page.offset, std::min(limit, kMaxQueuedEvents) + 1);
    while (page.chunks.size() < limit && query.next()) {
      rules::add_chunk(page, static_cast<std::uint64_t>(query.integer(0)), query.text(1));
    }
    if (!query.status().ok()) return fail(query.status());
    return page;
  });
}

std::uint64_t PostgresLog::seq_of(std::string_view run, std::string_view cursor) const {
  return rules::seq_of(cursor, epoch_, run, std::numeric_limits<std::uint64_t>::max()).value_or(0);
}

}  // namespace holdfast::platform
