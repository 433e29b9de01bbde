#include "engine/offers.h"

#include <algorithm>
#include <utility>

#include "engine/run_cache.h"
#include "engine/task_dispatch.h"

namespace holdfast::engine {

using matching::TaskKind;

void Offers::activities(Run& run, const std::vector<std::int64_t>& scheduled_event_ids) {
  auto next = scheduled_event_ids.begin();
  if (offers_.empty()) {
    const auto last = next + static_cast<std::ptrdiff_t>(std::min(scheduled_event_ids.size(), kAtOnce));
    for (; next != last; ++next) dispatch_.activity(run, *next);
  }
  if (next == scheduled_event_ids.end()) return;
  Offer& offer = offers_.emplace_back();
  offer.run = run.key;
  offer.kind = TaskKind::kActivity;
  offer.activities.assign(next, scheduled_event_ids.end());
}

void Offers::again(std::vector<matching::Task> tasks) {
  for (matching::Task& task : tasks) {
    Offer& offer = offers_.emplace_back();
    offer.run = {std::move(task.namespace_id), std::move(task.workflow_id), std::move(task.run_id)};
    offer.kind = task.kind;
    offer.activities = {task.id};
    offer.query_id = std::move(task.query_id);
  }
}

int Offers::deliver(int most) {
  int done = 0;
  for (; done < most && !offers_.empty(); ++done) {
    if (!deliver_one(offers_.front())) offers_.pop_front();
  }
  return done;
}

bool Offers::deliver_one(Offer& offer) {
  Run* run = cache_.find(offer.run);
  if (run == nullptr) return false;
  switch (offer.kind) {
    case TaskKind::kWorkflow: dispatch_.workflow_task(*run); return false;
    case TaskKind::kQuery: dispatch_.query(*run, offer.query_id); return false;
    case TaskKind::kActivity: break;
  }
  dispatch_.activity(*run, offer.activities[offer.next++]);
  return offer.next < offer.activities.size();
}

}  // namespace holdfast::engine
