#pragma once

// LargeStager: writes large payloads of calls down before the engine thread sees the call, on a thread of its
// own, in pieces that are commits of their own, with pauses in between: commits of others never wait for more
// than one piece, and nothing of what the engine keeps, copies or commits is large. In the call its place
// remains (history/payload_slot.h). What is written and not in a run's history when its call has been
// answered is erased again, and so is what a crash left.
//
// The engine owns it. One call after the other; how many wait is bounded by what their memory is taken from.
// Failures: a commit that fails ends the process (`on_fatal` does not return).

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/core.h"
#include "history/payload_slot.h"
#include "store/keys.h"

namespace holdfast::engine {

class LargeStager {
 public:
  using Next = std::move_only_function<void(Call)>;

  LargeStager(store::KvStore& store, const Clock& clock, const history::Limits& limits,
              std::function<void(const Status&)> on_fatal);
  ~LargeStager();
  LargeStager(const LargeStager&) = delete;
  LargeStager& operator=(const LargeStager&) = delete;

  // Once, when the core is open: the epoch of the store.
  void start(std::int64_t epoch, std::string slot_key);
  // What waits goes on as it is.
  void stop();

  // Whether the call goes through here. Any thread.
  bool wants(const Call& call) const;
  // `next` is run on this one's thread, or here when it has stopped.
  void stage(Call call, Next next);

 private:
  using Ids = std::vector<store::keys::LargeId>;
  // Calls that were answered, with what was written for them. Outlives the stager: answers may.
  struct Answered {
    std::mutex mutex;
    std::vector<Ids> ids;  // guarded by mutex
  };

  void loop();
  void stage_payloads(Call* call);
  void write(const store::keys::LargeId& id, const std::string& data);
  void commit_piece(const store::WriteBatch& batch);
  void keep_slot_key(store::WriteBatch* batch);
  void erase_unused();
  void erase_leftovers();
  void erase(const store::keys::LargeId& id, std::int64_t bytes);

  store::KvStore& store_;
  const Clock& clock_;
  const history::Limits& limits_;
  const std::function<void(const Status&)> on_fatal_;
  std::int64_t epoch_ = 0;
  std::int64_t next_number_ = 1;
  bool slot_key_kept_ = false;
  history::SlotSigner signer_{std::string()};
  std::shared_ptr<Answered> answered_ = std::make_shared<Answered>();

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;                        // guarded by mutex_
  std::deque<std::pair<Call, Next>> waiting_{};  // guarded by mutex_
  std::thread thread_;
};

}  // namespace holdfast::engine
