#pragma once

// Outbox: what a step tells goes to the disk with the step, in one transaction of the store, and from there
// to the log of events, which needs no sync of its own for it (docs/adr/0063). The rows are forgotten, many
// at a time, once the log has what they say; what a crash has left of them is told again when the store is
// opened, and only what the log does not have is written.
//
// Thread-safe; every call blocks until the step is durable. Failures are those of the store.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/buffered_streams.h"
#include "platform/event_log.h"
#include "platform/records.h"

namespace holdfast::platform {

// An event of a run. Its key makes it be told once (Streams::publish); it must have one.
struct Told {
  Told() = default;
  Told(std::string to, std::string what, std::string text, std::string once)
      : run(std::move(to)), type(std::move(what)), json(std::move(text)), key(std::move(once)) {}
  std::string run;
  std::string type;
  std::string json;
  std::string key;
};

// A row: what was told of a run, and the log may not have.
struct OutboxRow {
  OutboxRow() = default;
  std::int64_t n = 0;  // 0: there is no row
  std::string run;
  std::string entries;  // entries_text()
};

inline constexpr std::uint32_t kOutboxPage = 64;

// What a database has behind it, beside the Store that it is. A step or a settlement that was there already
// writes no row: it had its own.
class OutboxTable {
 public:
  virtual ~OutboxTable() = default;
  // Store::commit_step; `with`: records that are written with it, those that are not there.
  virtual Result<StepRecord> commit_step(const StepWrite& step, const std::vector<StepWrite>& with,
                                         const OutboxRow& row) = 0;
  // Store::settle_effect; whether it is the settlement that stands.
  virtual Result<std::pair<EffectRecord, bool>> settle_effect(std::string_view key, bool succeeded,
                                                              std::string_view result,
                                                              const OutboxRow& row) = 0;
  // Store::settle_approval. It writes the row whoever has settled it: only the run tells.
  virtual Result<Approval> settle_approval(const Approval& outcome, const OutboxRow& row) = 0;
  // Store::begin_effect of the call that `outcome` allows: both are written, or neither is.
  virtual Result<EffectRecord> begin_effect(const EffectIntent& intent, const Approval& outcome,
                                            const OutboxRow& row) = 0;
  // In the order of their numbers, those behind `after`; at most kOutboxPage.
  virtual Result<std::vector<OutboxRow>> outbox_rows(std::int64_t after) = 0;
  virtual Status forget_outbox(const std::vector<std::int64_t>& rows) = 0;
};

class Outbox {
 public:
  static constexpr std::size_t kForgottenTogether = 256;  // rows that one transaction deletes
  static constexpr std::size_t kMaxKnown = 4096;  // rows that are kept in mind; others go at the next start
  static constexpr std::size_t kMaxRowBytes = 1 << 20;  // of one; what is more waits for the log instead

  // All are the caller's, and outlive it.
  Outbox(OutboxTable& table, BufferedStreams& streams, const Clock& clock)
      : table_(table), streams_(streams), clock_(clock) {}

  // Once, before anything is told: writes to the log what a crash has taken from it.
  Status recover();

  // The step, and with it what its run has told so far and `events`, which are shown a moment later. Of a
  // step that was there already (`replayed`) nothing is told here: it may have come to something else.
  Result<StepRecord> commit_step(const StepWrite& step, const std::vector<Told>& events,
                                 const std::vector<StepWrite>& with = {});
  // And whether it is the settlement that stands: if not, nothing is told.
  Result<std::pair<EffectRecord, bool>> settle_effect(std::string_view run, std::string_view key,
                                                      bool succeeded, std::string_view result,
                                                      const std::vector<Told>& events);
  // What the run knows to be true of its approval, and with it what it tells of that, each time it is said.
  Result<Approval> settle_approval(const Approval& outcome, const std::vector<Told>& events);
  // The same, and with it the intent of the call that was approved.
  Result<EffectRecord> begin_effect(const EffectIntent& intent, const Approval& outcome,
                                    const std::vector<Told>& events);

 private:
  Result<OutboxRow> row_for(std::string_view run, const std::vector<Told>& events);
  // Shows what is durable in that row.
  Status show(const std::vector<Told>& events, std::int64_t row);
  void remember(std::int64_t row);

  OutboxTable& table_;
  BufferedStreams& streams_;
  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t last_ = 0;  // number of a row; guarded by mutex_
  // Rows, and what the log must have before they may go; guarded by mutex_.
  std::deque<std::pair<std::int64_t, std::uint64_t>> known_;
};

// Of a row: binary-safe, and read by later versions (docs/formats/platform-store.md).
std::string entries_text(const std::vector<LogEntry>& entries);
Result<std::vector<LogEntry>> read_entries(std::string_view text);

}  // namespace holdfast::platform
