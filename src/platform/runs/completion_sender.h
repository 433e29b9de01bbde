#pragma once

// CompletionSender: wakes the runs whose calls somebody outside has completed. What they were completed with
// is in the platform store before, and the run takes it from there; so a word that is lost costs time, and
// nothing else: it is said again until the run has it, also after a restart.
//
// Threads: any; nothing blocks but recover()'s own work.

#include <chrono>
#include <memory>
#include <string>

#include "runs/background_work.h"

namespace holdfast::runs {

class CompletionSender : public BackgroundWork {
 public:
  explicit CompletionSender(Background dependencies) : BackgroundWork(std::move(dependencies)) {}

  void send(const platform::Completion& completion);
  // What an earlier process did not get told.
  void recover();
  void stop();

 private:
  struct Sending {
    std::string id;
    std::string run;
    std::chrono::milliseconds pause{100};
  };
  void recover_behind(const std::string& after);
  void try_send(const std::shared_ptr<Sending>& sending);
  void on_reply(const std::shared_ptr<Sending>& sending, const Result<Outcome<Payload>>& outcome);
  // Nobody is left to be told.
  void give_up(const Sending& sending);
};

}  // namespace holdfast::runs
