#include "platform/outbox.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/storage_fault.h"
#include "platform/stream_rules.h"

namespace holdfast::platform {

// ---- rows as text: each field is its length, a colon, its bytes and a comma

namespace {

constexpr std::string_view kEvent = "event";  // run, at, type, key, data
constexpr std::string_view kOpens = "opens";  // run, at, step, key, attempt
constexpr std::string_view kDelta = "delta";  // run, at, step, key of the opening, start, data

void add(std::string& out, std::string_view field) {
  out += std::to_string(field.size());
  out += ':';
  out += field;
  out += ',';
}

class Fields {
 public:
  explicit Fields(std::string_view text) : left_(text) {}
  bool more() const { return ok_ && !left_.empty(); }
  bool ok() const { return ok_; }
  std::string_view next() {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), size);
    const auto digits = static_cast<std::size_t>(end - left_.data());
    const bool whole = error == std::errc() && digits < left_.size() && left_[digits] == ':' &&
                       size < left_.size() - digits - 1 && left_[digits + 1 + size] == ',';
    if (!whole) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view field = left_.substr(digits + 1, size);
    left_.remove_prefix(digits + 1 + size + 1);
    return field;
  }
  template <typename Number>
  void number(Number& out) {
    const std::string_view field = next();
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), out);
    ok_ = ok_ && error == std::errc() && end == field.data() + field.size();
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

LogEntry read_entry(Fields& in, std::string_view kind) {
  LogEntry out;
  std::int64_t at = 0;
  out.run = in.next();
  in.number(at);
  out.at = WallTime(std::chrono::nanoseconds(at));
  if (kind == kEvent) {
    out.type = in.next();
    out.key = in.next();
    out.data = in.next();
    return out;
  }
  out.type = kDeltaEvent;
  out.step = std::string(in.next());
  out.opening = in.next();
  out.opens = kind == kOpens;
  if (out.opens) {
    out.key = out.opening;
    in.number(out.attempt);
  } else {
    in.number(out.start);
    out.data = in.next();
  }
  return out;
}

}  // namespace

std::string entries_text(const std::vector<LogEntry>& entries) {
  std::string out;
  for (const LogEntry& entry : entries) {
    add(out, !entry.step ? kEvent : entry.opens ? kOpens : kDelta);
    add(out, entry.run);
    add(out, std::to_string(entry.at.time_since_epoch().count()));
    if (!entry.step) {
      add(out, entry.type);
      add(out, entry.key);
      add(out, entry.data);
      continue;
    }
    add(out, *entry.step);
    add(out, entry.opening);
    add(out, std::to_string(entry.opens ? entry.attempt : entry.start));
    if (!entry.opens) add(out, entry.data);
  }
  return out;
}

Result<std::vector<LogEntry>> read_entries(std::string_view text) {
  std::vector<LogEntry> out;
  Fields in(text);
  bool known = true;
  while (known && in.more()) {
    const std::string_view kind = in.next();
    known = kind == kEvent || kind == kOpens || kind == kDelta;
    if (known) out.push_back(read_entry(in, kind));
  }
  if (known && in.ok() && !in.more()) return out;
  return fail(with_fault(Code::kDataLoss, StorageFault::kCorrupt,
                         "a row of the outbox cannot be read: restore the platform store from a backup"));
}

// ---- telling

Status Outbox::recover() {
  std::int64_t after = 0;
  while (true) {
    Result<std::vector<OutboxRow>> rows = table_.outbox_rows(after);
    if (!rows) return rows.error();
    if (rows->empty()) return {};
    std::vector<std::int64_t> told;
    for (const OutboxRow& row : *rows) {
      Result<std::vector<LogEntry>> entries = read_entries(row.entries);
      if (!entries) return entries.error();
      if (Status status = streams_.tell_again(*std::move(entries)); !status.ok()) return status;
      told.push_back(row.n);
      after = row.n;
    }
    if (Status status = table_.forget_outbox(told); !status.ok()) return status;
  }
}

Result<OutboxRow> Outbox::row_for(std::string_view run, const std::vector<Told>& events) {
  std::vector<LogEntry> told;
  for (const Told& event : events) {
    if (Status status = rules::check_event(event.run, event.type, event.json); !status.ok())
      return fail(std::move(status));
    if (event.key.empty()) return fail(Code::kInvalidArgument, "what a step tells needs a key");
    LogEntry& entry = told.emplace_back();
    entry.run = event.run;
    entry.type = event.type;
    entry.data = event.json;
    entry.key = event.key;
    entry.at = clock_.now();
  }
  OutboxRow out;
  out.run = run;
  out.entries = entries_text(streams_.unwritten(run)) + entries_text(told);
  if (out.entries.size() > kMaxRowBytes) {
    if (Status status = streams_.flush(); !status.ok()) return fail(std::move(status));
    out.entries = entries_text(told);
  }
  if (out.entries.empty()) return out;
  std::lock_guard lock(mutex_);
  last_ = std::max<std::int64_t>(last_ + 1, clock_.now().time_since_epoch().count());
  out.n = last_;
  return out;
}

Status Outbox::show(const std::vector<Told>& events, std::int64_t row) {
  if (row == 0) return {};
  for (const Told& event : events) {
    Status status = streams_.publish_soon(event.run, event.type, event.json, event.key);
    if (!status.ok()) return status;
  }
  remember(row);
  return {};
}

// What cannot be deleted now is told again at the next start, and deleted then.
void Outbox::remember(std::int64_t row) {
  std::vector<std::int64_t> gone;
  {
    std::lock_guard lock(mutex_);
    known_.emplace_back(row, streams_.told());
    if (known_.size() > kMaxKnown) known_.pop_front();
    if (known_.size() < kForgottenTogether) return;
    const std::uint64_t written = streams_.written();
    const auto waiting = std::ranges::find_if(known_, [&](const auto& one) { return one.second > written; });
    if (waiting - known_.begin() < static_cast<std::ptrdiff_t>(kForgottenTogether / 2)) return;
    for (auto one = known_.begin(); one != waiting; ++one) gone.push_back(one->first);
    known_.erase(known_.begin(), waiting);
  }
  (void)table_.forget_outbox(gone);
}

Result<StepRecord> Outbox::commit_step(const StepWrite& step, const std::vector<Told>& events,
                                       const std::vector<StepWrite>& with) {
  Result<OutboxRow> row = row_for(step.run, events);
  if (!row) return fail(row.error());
  Result<StepRecord> record = table_.commit_step(step, with, *row);
  if (!record || record->replayed) return record;
  if (Status status = show(events, row->n); !status.ok()) return fail(std::move(status));
  return record;
}

Result<std::pair<EffectRecord, bool>> Outbox::settle_effect(std::string_view run, std::string_view key,
                                                            bool succeeded, std::string_view result,
                                                            const std::vector<Told>& events) {
  Result<OutboxRow> row = row_for(run, events);
  if (!row) return fail(row.error());
  auto settled = table_.settle_effect(key, succeeded, result, *row);
  if (!settled || !settled->second) return settled;
  if (Status status = show(events, row->n); !status.ok()) return fail(std::move(status));
  return settled;
}

Result<Approval> Outbox::settle_approval(const Approval& outcome, const std::vector<Told>& events) {
  Result<OutboxRow> row = row_for(outcome.run, events);
  if (!row) return fail(row.error());
  Result<Approval> settled = table_.settle_approval(outcome, *row);
  if (!settled) return settled;
  if (Status status = show(events, row->n); !status.ok()) return fail(std::move(status));
  return settled;
}

Result<EffectRecord> Outbox::begin_effect(const EffectIntent& intent, const Approval& outcome,
                                          const std::vector<Told>& events) {
  Result<OutboxRow> row = row_for(outcome.run, events);
  if (!row) return fail(row.error());
  Result<EffectRecord> begun = table_.begin_effect(intent, outcome, *row);
  if (!begun) return begun;
  if (Status status = show(events, row->n); !status.ok()) return fail(std::move(status));
  return begun;
}

}  // namespace holdfast::platform
