// Forks as rows: how far a run has come, what it used up to there, who goes on from it.

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define READ_PLACES                                     \
  "SELECT conversation, branch, sequence, sha256 FROM " \
  "steps WHERE run = $1 AND conversation IS NOT NULL ORDER BY "

constexpr postgres::Literal kFirstPlace = READ_PLACES "at, sequence LIMIT 1";
constexpr postgres::Literal kLastPlace = READ_PLACES "at DESC, sequence DESC LIMIT 1";

Result<std::optional<Reference>> place_in(Connection& db, postgres::Literal sql, std::string_view run) {
  Statement query(db, sql);
  return query.bind(run).one([](const Statement& row) {
    Reference out;
    row.read(out.conversation, out.branch, out.sequence, out.sha256);
    return out;
  });
}

// Messages of one step are there since the step is.
Result<std::uint64_t> first_message(Connection& db, std::string_view run, const Reference& at) {
  Statement query(
      db,
      "SELECT coalesce(min(m.sequence), $4::bigint + 1) FROM messages m WHERE m.conversation = $2 "
      "AND m.branch = $3 AND m.sequence <= $4::bigint AND m.sequence > $4::bigint - $5::bigint AND "
      "m.at = (SELECT min(at) FROM steps WHERE run = $1 AND conversation IS NOT NULL)");
  query.bind(run, at.conversation, at.branch, at.sequence, static_cast<std::int64_t>(kMaxMessagesPerStep));
  Result<std::optional<std::int64_t>> found = query.one([](const Statement& row) { return row.integer(0); });
  if (!found) return fail(found.error());
  return static_cast<std::uint64_t>(found->value_or(0));
}

}  // namespace

Result<std::optional<rules::RunSaid>> said_by(Connection& db, std::string_view run) {
  auto first = place_in(db, kFirstPlace, run);
  if (!first) return fail(first.error());
  if (!*first) return std::nullopt;
  auto last = place_in(db, kLastPlace, run);
  if (!last) return fail(last.error());
  Result<std::uint64_t> from = first_message(db, run, **first);
  if (!from) return fail(from.error());
  rules::RunSaid out;
  out.last = **std::move(last);
  out.first = *from;
  return out;
}

Result<std::optional<RunSpan>> PostgresStore::run_span(std::string_view run) {
  return reading<std::optional<RunSpan>>([&](Connection& db) -> Result<std::optional<RunSpan>> {
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

Result<UsageTotal> PostgresStore::usage_until(std::string_view run, std::uint64_t sequence) {
#define SUM(column) "coalesce(sum(u." #column "), 0)::bigint, "
  return reading<UsageTotal>([&](Connection& db) -> Result<UsageTotal> {
    Statement query(
        db, "SELECT count(*), " SUM(input_tokens) SUM(output_tokens) SUM(cached_input_tokens)
                SUM(cache_write_tokens) SUM(reasoning_tokens) SUM(cost)
            "count(*) FILTER (WHERE u.cost IS NULL), count(*) FILTER (WHERE u.uncounted <> 0), "
            "coalesce(min(convert_from(nullif(u.price_as_of, ''), 'UTF8')), '') "
            "FROM steps s JOIN usage u ON u.key = s.key WHERE s.run = $1 AND s.sequence <= $2 AND u.tool = ''");
    Result<std::optional<UsageTotal>> total = query.bind(run, sequence).one([](const Statement& row) {
      UsageTotal out;
      row.read(out.calls, out.input_tokens, out.output_tokens, out.cached_input_tokens,
               out.cache_write_tokens, out.reasoning_tokens, out.cost, out.unpriced_calls,
               out.uncounted_calls, out.price_as_of);
      return out;
    });
    if (!total) return fail(total.error());
    return total->value_or(UsageTotal());
  });
#undef SUM
}

Result<std::vector<Origin>> PostgresStore::descendants(std::string_view run, std::string_view after,
                                                       std::uint32_t limit) {
  return reading<std::vector<Origin>>([&](Connection& db) {
    Statement query(db,
                    "SELECT run, origin, state, started_by, at FROM origins WHERE origin = $1 AND run > $2 "
                    "ORDER BY run LIMIT $3");
    return query.bind(run, after, rules::page_size(limit)).all([](const Statement& row) {
      Origin out;
      row.read(out.run, out.origin, out.state, out.by, out.at);
      return out;
    });
  });
}

}  // namespace holdfast::platform
