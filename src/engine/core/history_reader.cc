#include "engine/history_reader.h"

#include <algorithm>

#include "engine/options.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

std::int64_t HistoryReader::read(const Run& run, std::int64_t from, std::int64_t to, std::int64_t max_events,
                                 History* out) const {
  std::size_t bytes = 0;
  std::int64_t next = from;
  const auto take = [&](const Event& event) {
    if (event.event_id() < next || event.event_id() >= to) return true;
    if (event.event_id() > next) return false;  // what stands between cannot be read
    if (out->events_size() >= max_events) return false;
    const auto size = static_cast<std::size_t>(history::bytes_of(event));
    if (bytes > 0 && bytes + size > limits_.page_bytes) return false;
    bytes += size;
    *out->add_events() = event;
    next = event.event_id() + 1;
    return next < to;
  };
  const auto& [ns, workflow, run_id] = run.key;
  const std::int64_t in_memory = !run.pages.empty() ? run.pages.front().first_event_id
                                 : run.ms->unsaved().events_size() > 0
                                     ? run.ms->unsaved().events(0).event_id()
                                     : run.ms->s().next_event_id();
  if (from < in_memory) {
    std::string begin = keys::history_page(ns, workflow, run_id, from);
    Status found = store_.scan_reverse(keys::history_page(ns, workflow, run_id, 0),
                                       keys::history_page(ns, workflow, run_id, from + 1),
                                       [&begin](std::string_view key, std::string_view) {
                                         begin = std::string(key);
                                         return false;
                                       });
    if (!found.ok()) return next;
    bool more = true;
    found = store_.scan(begin, keys::history_page(ns, workflow, run_id, in_memory),
                        [&](std::string_view, std::string_view value) {
                          History page;
                          more = page.ParseFromArray(value.data(), static_cast<int>(value.size()));
                          for (int i = 0; more && i < page.events_size(); ++i) more = take(page.events(i));
                          return more;
                        });
    if (!more || !found.ok()) return next;
  }
  auto page = std::upper_bound(run.pages.begin(), run.pages.end(), from,
                               [](std::int64_t id, const Page& p) { return id < p.first_event_id; });
  if (page != run.pages.begin()) --page;
  for (; page != run.pages.end(); ++page) {
    for (const Event& event : page->events->events()) {
      if (event.event_id() >= next && !take(event)) return next;
    }
  }
  for (const Event& event : run.ms->unsaved().events()) {
    if (event.event_id() >= next && !take(event)) return next;
  }
  return next;
}

std::int64_t HistoryReader::read_before(const Run& run, std::int64_t end, std::int64_t max_events,
                                        History* newest_first) const {
  std::int64_t begin = end;
  std::size_t bytes = 0;
  // Sizes are known only forward: a window that is too large for the rest of the page is halved. One event
  // always fits.
  for (std::int64_t window = max_events; window > 0 && begin > 1 && end - begin < max_events;) {
    const std::int64_t from = std::max({std::int64_t{1}, begin - window, end - max_events});
    History part;
    const std::int64_t next = read(run, from, begin, window, &part);
    std::size_t size = 0;
    for (const Event& event : part.events()) size += static_cast<std::size_t>(history::bytes_of(event));
    if (next < begin || (begin < end && bytes + size > limits_.page_bytes)) {
      window /= 2;
      continue;
    }
    for (int i = part.events_size() - 1; i >= 0; --i)
      newest_first->add_events()->Swap(part.mutable_events(i));
    bytes += size;
    begin = from;
  }
  return begin;
}

const Event* HistoryReader::find_in_memory(const Run& run, std::int64_t id) const {
  const auto in = [id](const History& history) -> const Event* {
    if (history.events_size() == 0) return nullptr;
    const std::int64_t index = id - history.events(0).event_id();
    if (index < 0 || index >= history.events_size()) return nullptr;
    return &history.events(static_cast<int>(index));
  };
  if (const Event* event = in(run.ms->unsaved())) return event;
  auto page = std::upper_bound(run.pages.begin(), run.pages.end(), id,
                               [](std::int64_t wanted, const Page& p) { return wanted < p.first_event_id; });
  if (page == run.pages.begin()) return nullptr;
  return in(*std::prev(page)->events);
}

bool HistoryReader::visit(const Run& run, std::int64_t id,
                          const std::function<void(const Event&)>& with) const {
  if (const Event* event = find_in_memory(run, id)) {
    with(*event);
    return true;
  }
  History history;
  read(run, id, id + 1, 1, &history);
  if (history.events_size() != 1) return false;
  with(history.events(0));
  return true;
}

std::optional<Event> HistoryReader::find(const Run& run, std::int64_t id) const {
  if (id <= 0 || id >= run.ms->s().next_event_id()) return std::nullopt;
  std::optional<Event> result;
  if (!visit(run, id, [&result](const Event& event) { result = event; })) return std::nullopt;
  return result;
}

std::function<const Event*()> HistoryReader::first_event_of(const Run& run,
                                                            std::shared_ptr<Event> holder) const {
  return [this, &run, holder = std::move(holder)]() -> const Event* {
    return visit(run, 1, [&holder](const Event& event) { *holder = event; }) ? holder.get() : nullptr;
  };
}

}  // namespace holdfast::engine
