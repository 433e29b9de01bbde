#include "engine/duties.h"

#include "engine/batches.h"
#include "engine/core_clock.h"
#include "engine/due_runs.h"
#include "engine/history_waiters.h"
#include "engine/offers.h"
#include "engine/outbox.h"
#include "engine/outbox_delivery.h"
#include "engine/parked_calls.h"
#include "engine/recovery.h"
#include "engine/task_dispatch.h"
#include "engine/update_waiters.h"
#include "engine/wake_times.h"

namespace holdfast::engine {

void Duties::slice() {
  constexpr int kTurn = 8;
  for (int left = kSlice; left > 0 && !batch_is_full();) {
    const int done = due_runs(kTurn) + due_calls(kTurn) + delivery_.deliver(kTurn) + offers_.deliver(kTurn) +
                     dispatch_.give_due(kTurn) + history_waiters_.answer_woken(kTurn, cache_) +
                     update_waiters_.answer_woken(kTurn, cache_) + recovery_.go_on(kTurn) +
                     batches_.erase_applied(kTurn);
    if (done == 0) return;
    left -= done;
    done_ += done;
  }
}

void Duties::after_call() {
  done_ += delivery_.deliver(kAfterCall);
}

bool Duties::owes() const {
  return !outbox_.empty() || !offers_.empty() || history_waiters_.has_woken() ||
         update_waiters_.has_woken() || !recovery_.done() || batches_.has_applied();
}

int Duties::due_runs(int most) {
  int done = 0;
  while (done < most) {
    const std::optional<RunKey> due = wakes_.due(clock_.now());
    if (!due) break;
    done += due_runs_.fire(*due);
  }
  return done;
}

int Duties::due_calls(int most) {
  int done = 0;
  for (; done < most; ++done) {
    auto call = parked_.take_due(clock_.now());
    if (!call) break;
    time_out_(*call);
  }
  return done;
}

}  // namespace holdfast::engine
