#pragma once

// Offers: tasks on their way to their queues. A few go there at once; those of a wide fan-out, and those that
// leave the queue of a worker that is gone, wait here and go one by one, in their order. Nothing is lost with
// it: a task follows from its run's state. The core owns it; its thread only.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/run.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

class RunCache;
class TaskDispatch;

class Offers {
 public:
  Offers(RunCache& cache, TaskDispatch& dispatch) : cache_(cache), dispatch_(dispatch) {}

  // So many of one transition go at once, if no others wait.
  static constexpr std::size_t kAtOnce = 16;
  void activities(Run& run, const std::vector<std::int64_t>& scheduled_event_ids);
  // Tasks that left their queue.
  void again(std::vector<matching::Task> tasks);

  bool empty() const { return offers_.empty(); }
  // At most so many; how many it were.
  int deliver(int most);

 private:
  struct Offer {
    RunKey run;
    matching::TaskKind kind{};
    std::vector<std::int64_t> activities;  // of activities: which
    std::size_t next = 0;
    std::string query_id;
  };
  // True: there is more of it.
  bool deliver_one(Offer& offer);

  RunCache& cache_;
  TaskDispatch& dispatch_;
  std::deque<Offer> offers_;
};

}  // namespace holdfast::engine
