#include "worker/history_chunks.h"

namespace holdfast::worker {
namespace {

bool undone_by(const HistoryEvent& event) {
  return event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_FAILED ||
         event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT;
}

}  // namespace

std::vector<Chunk> chunk_history(const Events& events, std::int64_t after_event_id) {
  std::vector<Chunk> out;
  Chunk current;
  for (int i = 0; i < events.size(); ++i) {
    const HistoryEvent& event = events[i];
    if (event.event_id() <= after_event_id) continue;
    current.events.push_back(&event);
    if (event.event_type() != enums::EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
    if (i + 1 < events.size() && undone_by(events[i + 1])) continue;
    current.started = &event;
    out.push_back(std::move(current));
    current = Chunk();
  }
  if (!current.events.empty()) out.push_back(std::move(current));
  return out;
}

}  // namespace holdfast::worker
