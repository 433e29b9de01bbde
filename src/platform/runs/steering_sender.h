#pragma once

// SteeringSender: brings to a run what people want of it, as an update under one id, and again until the run
// has answered or whoever asked has no more patience. Nothing is promised before the run has answered: a
// repeat under the same id is the same request.
//
// Threads: any; nothing blocks.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "holdfast/client.h"
#include "runs/background.h"
#include "runs/steering.h"

namespace holdfast::runs {

class SteeringSender : public std::enable_shared_from_this<SteeringSender> {
 public:
  explicit SteeringSender(Background dependencies) : deps_(std::move(dependencies)) {}

  struct Update {
    std::string run;
    std::string name;
    std::string id;
    Payload argument;
  };
  // `done` runs once. UNAVAILABLE: no answer came within the time; a RunFault: the run said no.
  void send(Update update, std::chrono::milliseconds answer_within, SteerDone done);
  void stop();

 private:
  struct Sending;
  void try_send(std::shared_ptr<Sending> sending);
  void on_reply(const std::shared_ptr<Sending>& sending, const Result<Outcome<Payload>>& outcome);

  Background deps_;
  std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace holdfast::runs
