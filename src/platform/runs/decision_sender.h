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
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "platform/store.h"
#include "runs/engine_gateway.h"

namespace holdfast::runs {

class DecisionSender : public std::enable_shared_from_this<DecisionSender> {
 public:
  using After = std::function<void(std::chrono::milliseconds, std::move_only_function<void()>)>;
  struct Dependencies {
    EngineGateway* engine = nullptr;
    platform::Store* store = nullptr;
    Executor* executor = nullptr;  // may block
    After after;
    std::function<void(std::string_view)> log;
    std::string update_name;
  };
  explicit DecisionSender(Dependencies dependencies);

  struct Answer {
    bool won = false;
    platform::Approval approval;  // as it is now
    std::string error_type;       // lost: what the workflow said
    std::string error_message;
  };
  using Done = std::move_only_function<void(Result<Answer>)>;

  // The attempt is stored. `done` runs once, when the workflow has answered or the store failed.
  void send(const platform::Approval& approval, const platform::DecisionAttempt& attempt, Done done);
  // Sends again what an earlier process stored without an answer.
  void recover();
  void stop();

 private:
  void recover_behind(const std::string& after);
  struct Sending;
  void try_send(std::shared_ptr<Sending> sending);
  void on_answer(std::shared_ptr<Sending> sending, Result<UpdateOutcome> outcome);
  void finish(Sending& sending, bool won, const std::string& type, const std::string& message);

  Dependencies deps_;
  std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace holdfast::runs
