#pragma once

// RunView: what a run has done so far, folded from its event log: steps in order, and the text that the model
// is writing at this moment. The page folds the same events in the same way (page/app.js).
//
// RunViews keeps the views of the runs looked at last, so that polling a run reads only what is new.
// Thread-safe.

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "holdfast/status.h"
#include "platform/streams.h"

namespace holdfast::runs {

class RunView {
 public:
  static constexpr std::size_t kMaxSteps = 5000;  // older ones stay in the log
  static constexpr std::size_t kMaxPartialBytes = 1 << 20;

  RunView();
  ~RunView();
  RunView(RunView&&) noexcept;
  RunView& operator=(RunView&&) noexcept;

  void apply(const platform::Event& event);

  std::string steps_json() const;  // array
  // Text of the step that runs, or of the last one; empty when none has text.
  const std::string& partial_output() const;
  // The data of `run.closed`, when it was seen.
  std::optional<std::string> closed_json() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class RunViews {
 public:
  static constexpr std::size_t kMaxViews = 32;

  explicit RunViews(platform::Streams& streams) : streams_(streams) {}

  struct Snapshot {
    std::string steps_json;
    std::string partial_output;
    std::optional<std::string> closed_json;
    std::string cursor;  // of the event log, to go on from
  };
  Result<Snapshot> snapshot(const std::string& run);

 private:
  struct Entry {
    std::mutex mutex;
    RunView view;
    std::string cursor;
  };
  std::shared_ptr<Entry> entry(const std::string& run);

  platform::Streams& streams_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // guarded by mutex_
  std::list<std::string> recent_;                          // guarded by mutex_; front: looked at last
};

}  // namespace holdfast::runs
