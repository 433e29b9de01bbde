#pragma once

// HistorySweep: when the engine has deleted a run's history, what was kept for that history alone goes too:
// its step records, its settled effects, its event log with the text in it; what it asked people for has
// expired. The run's record stays, with how
// it ended; so do messages, ledgers, and effects of which nobody knows whether they happened
// (docs/adr/0025).
//
// The engine in this process says which runs it has deleted. Beyond that, and alone on a Temporal server, the
// sweep asks the engine about every run that has a log, a few each second, in rounds with a long pause
// between them. Only the engine's own word that it does not know the workflow counts, and only for a workflow
// that was started.
//
// Threads: calls come from any; its work runs on one executor. Failures: what the engine or the store cannot
// do now is tried with the next round.

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/client.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "runs/background_work.h"

namespace holdfast::runs {

class HistorySweep final : public BackgroundWork {
 public:
  // News beyond these are left to the next round.
  static constexpr std::size_t kMaxNews = 10'000;

  explicit HistorySweep(Background dependencies) : BackgroundWork(std::move(dependencies)) {}

  // Rounds from now on.
  void begin();
  void stop();
  // The engine says that it has deleted a run of this workflow. Never blocks.
  void news(const std::string& run);
  // The same at once: whether the engine has deleted it, and all of it that goes with its history is gone.
  // Blocks.
  bool forget_run(const std::string& run);

 private:
  void take_news();
  // Of the round: the runs behind this one.
  void look(const std::string& after);
  bool is_known_gone(const std::string& run) const;
  // How the run ended, when its history is gone.
  std::optional<platform::GoneHistory> gone(const std::string& run) const;
  bool forget(const std::vector<platform::GoneHistory>& gone);

  std::deque<std::string> news_;  // guarded by mutex_
};

}  // namespace holdfast::runs
