#pragma once

// RunWaits: requests that are answered when their run has come to something, and the runs' logs that they
// watch meanwhile. Waiting takes no thread. A run goes on without whoever waits for it; a wait ends after
// kLongestWait, also that of a client who has gone.
//
// Owned by the API. Thread-safe. Internal to the module.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/work_pool.h"
#include "http/message.h"
#include "openai/run_fold.h"
#include "runs/after.h"
#include "runs/runs.h"

namespace holdfast::http {

// Less than the ten minutes after which OpenAI's clients give up, and ask again.
inline constexpr std::chrono::minutes kLongestWait{9};
inline constexpr std::size_t kMaxWaits = 1024;

class RunWaits {
 public:
  // None: not yet. `last`: there is no more time.
  using Answer = std::function<std::optional<Response>(const openai::RunFold& run, bool last)>;

  RunWaits();
  ~RunWaits();
  RunWaits(const RunWaits&) = delete;
  RunWaits& operator=(const RunWaits&) = delete;

  // What happens in the log is looked at by `workers`; everything outlives the waits.
  void open(runs::Runs* runs, Executor* workers, runs::After after);
  // `telling`: of a run that is not kept; null: it is.
  void wait(const std::string& run, std::chrono::milliseconds longest, Answer answer,
            std::shared_ptr<runs::Telling> telling, Responder responder);
  // Every wait ends now, and so does each that comes later.
  void stop();

 private:
  struct Wait;
  void look(const std::shared_ptr<Wait>& wait, bool last);
  void forget(const std::shared_ptr<Wait>& wait);

  runs::Runs* runs_ = nullptr;
  Executor* workers_ = nullptr;
  runs::After after_;
  std::mutex mutex_;
  std::set<std::shared_ptr<Wait>> waits_;  // guarded by mutex_
  bool stopped_ = false;                   // guarded by mutex_
};

}  // namespace holdfast::http
