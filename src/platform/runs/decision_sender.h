#pragma once

// DecisionSender: brings a person's decision to the run that waits for it. The attempt is stored first, then
// sent as an Update under a fixed id, and sent again until the workflow has answered: an admitted Update
// lives in the engine's memory only, so a crash between the two must not lose the decision, and must not
// decide twice.
//
// Threads: any; work runs on one executor. A decision that the workflow refuses (decided, expired, other
// arguments) is audited by the store and reported to whoever waits.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "holdfast/client.h"
#include "platform/store.h"
#include "runs/background.h"

namespace holdfast::runs {

class DecisionSender : public std::enable_shared_from_this<DecisionSender> {
 public:
  explicit DecisionSender(Background dependencies);

  struct Reply {
    bool won = false;
    platform::Approval approval;  // as it is now
    std::string why;              // lost: what the workflow said
    int have = 0, need = 0;       // of approvals, where several are needed
  };
  using Done = std::move_only_function<void(Result<Reply>)>;

  // The attempt is stored. `done` runs once, when the workflow has answered or the store failed.
  void send(const platform::Approval& approval, const platform::DecisionAttempt& attempt, Done done);
  // Sends again what an earlier process stored without an answer.
  void recover();
  void stop();

 private:
  void recover_behind(const std::string& after);
  struct Sending;
  void try_send(std::shared_ptr<Sending> sending);
  void answered(Sending& sending, const Outcome<Payload>& outcome);
  void try_later(std::shared_ptr<Sending> sending);
  Result<std::string> scope_of(const std::string& update_id);
  void on_reply(std::shared_ptr<Sending> sending, const Result<Outcome<Payload>>& outcome);
  void finish(Sending& sending, bool won, const std::string& why);

  Background deps_;
  std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace holdfast::runs
