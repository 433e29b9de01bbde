#pragma once

// LargeFiller: puts large payloads back into their places in answers, on a thread of its own: neither the
// engine nor the committer reads them. An answer whose payload cannot be read becomes DATA_LOSS.
//
// The engine owns it. What waits here is bounded by the calls that are open, and small; an answer grows when
// its turn comes, and is then its receiver's.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "engine/core.h"
#include "history/payload_slot.h"

namespace holdfast::engine {

class LargeFiller {
 public:
  explicit LargeFiller(const store::KvStore& store) : store_(store) {}
  ~LargeFiller();
  LargeFiller(const LargeFiller&) = delete;
  LargeFiller& operator=(const LargeFiller&) = delete;

  void start(std::string slot_key);
  // There are such payloads from now on; there were none before. Any thread.
  void expect() { expected_ = true; }
  // What waits is answered first.
  void stop();

  // Runs the answer: at once when nothing has to be put back.
  void release(Release answer);

 private:
  void loop();
  Status fill(api::Message* answer) const;
  Result<std::string> read(const history::PayloadSlot& slot) const;

  const store::KvStore& store_;
  history::SlotSigner signer_{std::string()};
  std::atomic<bool> expected_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;          // guarded by mutex_
  std::deque<Release> waiting_{};  // guarded by mutex_
  std::thread thread_;
};

}  // namespace holdfast::engine
