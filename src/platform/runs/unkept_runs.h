#pragma once

// UnkeptRuns: runs that were started so that nothing of them is kept (StartIntent::keep, docs/adr/0093). Each
// is deleted, history and contents, as soon as it is over and nobody is being told of it any more, and behind
// it the runs that it called and the workflows beside it. An answer that its request did not get stays for a
// while when that had an idempotency key, since then the same request is expected.
//
// What is to go stands in the store from its start on, so that the next process goes on with it; what is here
// is who is being told. A run takes some hundred bytes until it is gone.
//
// Threads: calls come from any; its work runs on one executor. Failures: what the engine or the store cannot
// do now is tried again, with growing pauses, for as long as the process lives.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "holdfast/client.h"
#include "platform/store.h"
#include "runs/background_work.h"
#include "runs/history_sweep.h"
#include "runs/telling.h"

namespace holdfast::runs {

class UnkeptRuns final : public BackgroundWork {
 public:
  // For so long, from the end of the run on, the same request with the same key is answered.
  static constexpr std::chrono::minutes kComesBack{10};
  // Before it is looked at again; the next one is twice as long.
  static constexpr std::chrono::milliseconds kFirstPause{200};

  UnkeptRuns(Background dependencies, std::shared_ptr<HistorySweep> sweep)
      : BackgroundWork(std::move(dependencies)), sweep_(std::move(sweep)) {}

  // Goes on with what an earlier process left.
  void recover();
  void stop();

  // Null: the run is kept, or it is being deleted, or is gone.
  std::shared_ptr<Telling> tell(const std::string& run);
  // The run has closed. Never blocks.
  void closed(const std::string& run);

 private:
  struct State {
    std::size_t tellings = 0;
    bool told = false;            // somebody has heard how it ended
    bool going = false;           // nobody is told of it any more
    std::optional<WallTime> due;  // when it is looked at again
    std::chrono::milliseconds pause = kFirstPause;
  };

  void recover_page(const std::string& after);
  std::shared_ptr<Telling> begin_telling(const std::string& run);
  void end_telling(const std::string& run, bool told);
  void adopt(const std::string& run);
  void look(const std::string& run);
  void look_again(const std::string& run, std::optional<std::chrono::milliseconds> pause = std::nullopt);
  // What is left of the ten minutes; none: nobody is waited for.
  std::optional<std::chrono::milliseconds> is_expected(const platform::RunRecord& run,
                                                       const WorkflowDescription& closed) const;
  void remove(const std::string& run, const std::string& last_run_id);
  Status delete_chain(const std::string& run, const std::string& last_run_id) const;
  void gone(const std::string& run);

  const std::shared_ptr<HistorySweep> sweep_;
  std::map<std::string, State> states_;  // guarded by mutex_
};

}  // namespace holdfast::runs
