#pragma once

// Lines of runs within one transaction, for every database (see calls.h, also for what `Rows` is). A run has
// one place at most, in one line.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/calls.h"
#include "platform/flow_rules.h"

namespace holdfast::platform::calls {

// Whether it has a place there that is good.
inline bool stands_in(const std::optional<FlowRow>& stored, const FlowPlace& place) {
  return stored && stored->state != FlowState::kOver && stored->place.line == place.line;
}

// find(run), erase(run), insert(row), update(row), waiting(line, at most), oldest first, count_waiting(line,
// at most), count_came(line, since, at most)
template <typename Rows>
Status enter_flow(Rows& rows, const FlowPlace& place, WallTime now) {
  if (Status status = rules::check_flow(place); !status.ok()) return status;
  Result<std::optional<FlowRow>> stored = rows.find(place.run);
  if (!stored) return stored.error();
  if (stands_in(*stored, place)) return {};
  if (*stored) {
    if (Status status = rows.erase(place.run); !status.ok()) return status;
  }
  const FlowRules& rules = place.rules;
  Result<std::uint32_t> waiting = rows.count_waiting(place.line, rules.max_waiting);
  if (!waiting) return waiting.error();
  Result<std::uint32_t> came = std::uint32_t{0};
  if (rules.rate > 0)
    came = rows.count_came(place.line, now - std::chrono::milliseconds(rules.rate_ms), rules.rate);
  if (!came) return came.error();
  Result<std::vector<FlowRow>> before = std::vector<FlowRow>();
  if (rules.debounce_ms > 0) before = rows.waiting(place.line, kMaxFlowWaiting);
  if (!before) return before.error();
  std::optional<WallTime> since;
  for (const FlowRow& one : *before) since = std::min(since.value_or(one.since), one.since);
  Result<FlowRow> row = rules::enter_flow(place, *waiting, *came, since, now);
  if (!row) return row.error();
  for (FlowRow& one : *before) {
    one.state = FlowState::kSuperseded;
    one.into = place.run;
    if (Status status = rows.update(one); !status.ok()) return status;
  }
  return rows.insert(*row);
}

// The line as the row sees it. count(row, line) fills in what is counted; nth_begun(line, n) is when the Nth
// run from the end began, from 0; running(line, at most), oldest first.
template <typename Rows>
Result<rules::FlowLine> line_of(Rows& rows, const FlowRow& row) {
  const FlowRules& rules = row.place.rules;
  rules::FlowLine out;
  if (Status status = rows.count(row, out); !status.ok()) return fail(std::move(status));
  const std::uint32_t before = rules.batch > 0 ? 0 : out.waiting_before;
  if (rules.throttle > before) {
    auto begun = rows.nth_begun(row.place.line, rules.throttle - before - 1);
    if (!begun) return fail(begun.error());
    out.nth_begun_at = *begun;
  }
  if (rules.concurrency == 0 || out.running < rules.concurrency) return out;
  Result<std::vector<std::string>> running = rows.running(row.place.line, kMaxFlowBlockers);
  if (!running) return fail(running.error());
  out.running_runs = std::move(*running);
  return out;
}

// stands_for(run), oldest first
template <typename Rows>
Result<FlowTurn> look_at_flow(Rows& rows, FlowRow row, WallTime now) {
  Result<rules::FlowLine> line = line_of(rows, row);
  if (!line) return fail(line.error());
  FlowTurn turn = rules::flow_turn(std::move(row), *line, now);
  Result<std::vector<FlowRow>> others = rows.stands_for(turn.row.place.run);
  if (!others) return fail(others.error());
  turn.stands_for = std::move(*others);
  return turn;
}

// Its turn, for those who only look; none: it has no place.
template <typename Rows>
Result<std::optional<FlowTurn>> flow_turn(Rows rows, std::string_view run, WallTime now) {
  Result<std::optional<FlowRow>> row = rows.find(run);
  if (!row) return fail(row.error());
  if (!*row) return std::optional<FlowTurn>();
  const FlowState was = (*row)->state;
  Result<FlowTurn> turn = look_at_flow(rows, std::move(**row), now);
  if (!turn) return fail(turn.error());
  // That it may begin is for who takes it to say.
  turn->row.state = was;
  if (was == FlowState::kWaiting) turn->row.begun_at.reset();
  return std::optional<FlowTurn>(std::move(*turn));
}

// Who waits there asks again and again, and writes nothing by it.
inline bool waits_in(const std::optional<FlowTurn>& turn, const FlowPlace& place) {
  return turn && turn->row.place.line == place.line && turn->wait != FlowWait::kNothing;
}

// The run begins, and does the work of those behind it.
template <typename Rows>
Status take_along(Rows& rows, FlowTurn& turn) {
  const FlowPlace& place = turn.row.place;
  Result<std::vector<FlowRow>> behind = rows.waiting(place.line, place.rules.batch - 1);
  if (!behind) return behind.error();
  std::size_t bytes = place.input.size();
  for (FlowRow& one : *behind) {
    bytes += one.place.input.size();
    if (bytes > kMaxFlowBatchBytes) break;
    one.state = FlowState::kBatched;
    one.into = place.run;
    if (Status status = rows.update(one); !status.ok()) return status;
    turn.stands_for.push_back(std::move(one));
  }
  return {};
}

template <typename Rows>
Result<FlowTurn> take_flow(Rows rows, const FlowPlace& place, WallTime now) {
  if (Status status = enter_flow(rows, place, now); !status.ok()) return fail(std::move(status));
  Result<FlowRow> row = need(rows.find(place.run), "place of the run", place.run);
  if (!row) return fail(row.error());
  const bool waited = row->state == FlowState::kWaiting;
  Result<FlowTurn> turn = look_at_flow(rows, std::move(*row), now);
  if (!turn || !waited || turn->row.state != FlowState::kRunning) return turn;
  if (Status status = rows.update(turn->row); !status.ok()) return fail(std::move(status));
  if (turn->row.place.rules.batch == 0) return turn;
  if (Status status = take_along(rows, *turn); !status.ok()) return fail(std::move(status));
  return turn;
}

// What somebody else does the work of stays so.
template <typename Rows>
Result<std::string> leave_flow(Rows rows, std::string_view run) {
  Result<std::optional<FlowRow>> stored = rows.find(run);
  if (!stored) return fail(stored.error());
  const bool stands =
      *stored && ((*stored)->state == FlowState::kWaiting || (*stored)->state == FlowState::kRunning);
  if (!stands) return std::string();
  (*stored)->state = FlowState::kOver;
  (*stored)->place.input.clear();
  if (Status status = rows.update(**stored); !status.ok()) return fail(std::move(status));
  return std::move((*stored)->place.line);
}

}  // namespace holdfast::platform::calls
