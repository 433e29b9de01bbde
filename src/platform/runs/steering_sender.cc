#include "runs/steering_sender.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "protocol/names.h"
#include "runs/run_fault.h"
#include "runs/run_outcome.h"

namespace holdfast::runs {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kMaxPause{2'000};

// What the run says no with, in the words of the API.
Status refusal(const Failure& failure) {
  const Reason reason = reason_of(failure);
  constexpr std::pair<const char*, RunFault> kFaults[] = {
      {protocol::kMessageRejected, RunFault::kMessageRejected},
      {protocol::kTooManyMessages, RunFault::kTooManyMessages},
      {protocol::kRunEnding, RunFault::kRunEnding},
      {protocol::kAlreadyHeld, RunFault::kAlreadyHeld},
      {protocol::kNotHeld, RunFault::kNotHeld},
      {"NOT_FOUND", RunFault::kVersionNotFound},
  };
  for (const auto& [type, fault] : kFaults) {
    if (reason.type == type) return with_fault(Code::kFailedPrecondition, fault, reason.message);
  }
  return with_fault(Code::kFailedPrecondition, RunFault::kSteeringRefused, reason.message);
}

}  // namespace

struct SteeringSender::Sending {
  Update update;
  SteerDone done;
  std::atomic<bool> answered = false;
  milliseconds pause = kFirstPause;

  void answer(Result<std::string> result) {
    if (!answered.exchange(true)) done(std::move(result));
  }
};

void SteeringSender::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
}

void SteeringSender::send(Update update, milliseconds answer_within, SteerDone done) {
  auto sending = std::make_shared<Sending>();
  sending->update = std::move(update);
  sending->done = std::move(done);
  deps_.after(answer_within, [sending] {
    sending->answer(
        fail(with_fault(Code::kUnavailable, RunFault::kNoAnswer, "the run has not answered yet")));
  });
  try_send(std::move(sending));
}

void SteeringSender::try_send(std::shared_ptr<Sending> sending) {
  if (sending->answered) return;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return sending->answer(fail(Code::kUnavailable, "the server is stopping"));
  }
  UpdateOptions options;
  options.update_id(sending->update.id);
  deps_.client->workflow(sending->update.run)
      .update_async(
          sending->update.name, options,
          [self = shared_from_this(), sending](Result<Outcome<Payload>> outcome) {
            self->on_reply(sending, outcome);
          },
          sending->update.argument);
}

void SteeringSender::on_reply(const std::shared_ptr<Sending>& sending,
                              const Result<Outcome<Payload>>& outcome) {
  if (outcome && outcome->ok()) return sending->answer(outcome->value().data);
  if (outcome) return sending->answer(fail(refusal(outcome->error())));
  const Status& error = outcome.error();
  if (error.code() == Code::kNotFound) {
    return sending->answer(fail(with_fault(Code::kFailedPrecondition, RunFault::kRunNotStarted,
                                           "the engine has not started this run, or it just ended")));
  }
  if (error.code() == Code::kInvalidArgument || error.code() == Code::kFailedPrecondition)
    return sending->answer(fail(error));
  deps_.after(sending->pause, [weak = weak_from_this(), sending] {
    auto self = weak.lock();
    if (!self) return sending->answer(fail(Code::kUnavailable, "the server is stopping"));
    self->deps_.executor->post([self, sending] { self->try_send(sending); });
  });
  sending->pause = std::min(sending->pause * 2, kMaxPause);
}

}  // namespace holdfast::runs
