// Forks as rows: how far a run has come, what it used up to there, who goes on from it.

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define PLACED_STEP_COLUMNS "key, run, result, at, conversation, branch, sequence, sha256, branch_opened"
#define READ_PLACES                     \
  "SELECT " PLACED_STEP_COLUMNS         \
  ", " ROW_DAMAGED("checksum", "steps", \
                   PLACED_STEP_COLUMNS) " FROM steps WHERE run = ?1 AND conversation IS NOT NULL ORDER BY "

constexpr sqlite::Literal kFirstPlace = READ_PLACES "at, sequence LIMIT 1";
constexpr sqlite::Literal kLastPlace = READ_PLACES "at DESC, sequence DESC LIMIT 1";

Result<std::optional<Reference>> place_in(Database& db, sqlite::Literal sql, std::string_view run) {
  Statement query(db, sql);
  return sound_one(query.bind(run), "steps", [](const Statement& row) {
    Reference out;
    row.read_from(4, out.conversation, out.branch, out.sequence, out.sha256);
    return out;
  });
}

#define ORIGIN_COLUMNS "run, origin, state, started_by, at"

// Messages of one step are there since the step is.
Result<std::uint64_t> first_message(Database& db, std::string_view run, const Reference& at) {
  Statement query(
      db,
      "SELECT coalesce(min(m.sequence), ?4 + 1) FROM messages m WHERE m.conversation = ?2 AND "
      "m.branch = ?3 AND m.sequence <= ?4 AND m.sequence > ?4 - ?5 AND m.at = (SELECT min(at) FROM "
      "steps WHERE run = ?1 AND conversation IS NOT NULL)");
  query.bind(run, at.conversation, at.branch, at.sequence, static_cast<std::int64_t>(kMaxMessagesPerStep));
  Result<std::optional<std::int64_t>> found = query.one([](const Statement& row) { return row.integer(0); });
  if (!found) return fail(found.error());
  return static_cast<std::uint64_t>(found->value_or(0));
}

}  // namespace

Result<std::optional<rules::RunSaid>> said_by(Database& db, std::string_view run) {
  auto first = place_in(db, kFirstPlace, run);
  auto last = place_in(db, kLastPlace, run);
  // A step that is damaged certifies nothing, and is no reason that the run has no bill.
  for (const auto* place : {&first, &last}) {
    if (!*place && place->error().code() == Code::kDataLoss) return std::nullopt;
    if (!*place) return fail(place->error());
    if (!**place) return std::nullopt;
  }
  Result<std::uint64_t> from = first_message(db, run, **first);
  if (!from) return fail(from.error());
  rules::RunSaid out;
  out.last = **std::move(last);
  out.first = *from;
  return out;
}

Result<std::optional<RunSpan>> SqliteStore::run_span(std::string_view run) {
  return reading<std::optional<RunSpan>>([&](Database& db) -> Result<std::optional<RunSpan>> {
    auto first = place_in(db, kFirstPlace, run);
    if (!first) return fail(first.error());
    if (!*first) return std::optional<RunSpan>();
    auto last = place_in(db, kLastPlace, run);
    if (!last) return fail(last.error());
    RunSpan out;
    out.first = **std::move(first);
    out.last = **std::move(last);
    return out;
  });
}

Result<UsageTotal> SqliteStore::usage_until(std::string_view run, std::uint64_t sequence) {
  return reading<UsageTotal>([&](Database& db) -> Result<UsageTotal> {
    Statement query(db,
                    "SELECT count(*), coalesce(sum(u.input_tokens), 0), coalesce(sum(u.output_tokens), 0), "
                    "coalesce(sum(u.cached_input_tokens), 0), coalesce(sum(u.cache_write_tokens), 0), "
                    "coalesce(sum(u.reasoning_tokens), 0), coalesce(sum(u.cost), 0), "
                    "count(*) FILTER (WHERE u.cost IS NULL), count(*) FILTER (WHERE u.uncounted <> 0), "
                    "coalesce(min(nullif(u.price_as_of, '')), '') FROM steps s JOIN usage u ON u.key = s.key "
                    "WHERE s.run = ?1 AND s.sequence <= ?2 AND u.tool = ''");
    if (!query.bind(run, sequence).next()) return fail(query.status());
    UsageTotal out;
    query.read(out.calls, out.input_tokens, out.output_tokens, out.cached_input_tokens,
               out.cache_write_tokens, out.reasoning_tokens, out.cost, out.unpriced_calls,
               out.uncounted_calls, out.price_as_of);
    return out;
  });
}

Result<std::vector<Origin>> SqliteStore::descendants(std::string_view run, std::string_view after,
                                                     std::uint32_t limit) {
  return reading<std::vector<Origin>>([&](Database& db) {
    Statement query(db, "SELECT " ORIGIN_COLUMNS
                        ", " ROW_DAMAGED("checksum", "origins", ORIGIN_COLUMNS) " FROM origins "
                        "WHERE origin = ?1 AND run > ?2 ORDER BY run");
    return sound_all(query.bind(run, after), "origins", damage_, rules::page_size(limit),
                     [](const Statement& row) {
                       Origin out;
                       row.read(out.run, out.origin, out.state, out.by, out.at);
                       return out;
                     });
  });
}

}  // namespace holdfast::platform
