#pragma once

// HistoryReader: events of a run, wherever they are: in pages of the store, in pages in memory, or in no page
// yet. Answers are bounded by events and by EngineLimits::page_bytes. The core owns it; its thread only. Of
// a page that cannot be read no event is told, and none behind it: the reader sees that they are missing.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "engine/run.h"
#include "store/kv_store.h"

namespace holdfast::engine {

struct EngineLimits;

class HistoryReader {
 public:
  HistoryReader(const store::KvStore& store, const EngineLimits& limits) : store_(store), limits_(limits) {}

  // Events [from, to) up to the limits; returns the id behind the last one.
  std::int64_t read(const Run& run, std::int64_t from, std::int64_t to, std::int64_t max_events,
                    History* out) const;
  // Events before `end`, newest first, up to the limits; returns the id of the last one.
  std::int64_t read_before(const Run& run, std::int64_t end, std::int64_t max_events,
                           History* newest_first) const;
  // Shows one event, without copying it when it is in memory. False: it cannot be read.
  [[nodiscard]] bool visit(const Run& run, std::int64_t id,
                           const std::function<void(const Event&)>& with) const;
  // Nothing: there is no such event, or it cannot be read.
  std::optional<Event> find(const Run& run, std::int64_t id) const;
  // The run's first event, read when it is asked for, into `holder`; null: it cannot be read.
  std::function<const Event*()> first_event_of(const Run& run, std::shared_ptr<Event> holder) const;

 private:
  const Event* find_in_memory(const Run& run, std::int64_t id) const;

  const store::KvStore& store_;
  const EngineLimits& limits_;
};

}  // namespace holdfast::engine
