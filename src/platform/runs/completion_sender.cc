#include "runs/completion_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "protocol/detached.h"
#include "protocol/names.h"

namespace holdfast::runs {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMaxPause{10'000};

}  // namespace

void CompletionSender::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void CompletionSender::send(const platform::Completion& completion) {
  if (completion.told) return;
  auto sending = std::make_shared<Sending>();
  sending->id = completion.id;
  sending->run = completion.run;
  try_send(sending);
}

void CompletionSender::recover() {
  deps_.executor->post([self = self(this)] { self->recover_behind(""); });
}

void CompletionSender::recover_behind(const std::string& after) {
  auto untold = deps_.store->untold_completions(after, platform::kMaxPage);
  if (!untold) return deps_.log("cannot read completions that were not told: " + untold.error().message());
  for (const platform::Completion& one : *untold) send(one);
  if (untold->size() < platform::kMaxPage) return;
  deps_.executor->post([self = self(this), last = untold->back().id] { self->recover_behind(last); });
}

void CompletionSender::try_send(const std::shared_ptr<Sending>& sending) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;  // it is stored, and the next process says it
  }
  protocol::CompletionNews news;
  news.id = sending->id;
  UpdateOptions options;
  options.update_id("completion-" + sending->id);
  deps_.client->workflow(sending->run)
      .update_async(
          protocol::kCompleteUpdate, options,
          [self = self(this), sending](Result<Outcome<Payload>> outcome) {
            self->on_reply(sending, outcome);
          },
          Payload({{"encoding", "json/plain"}}, dump_json(protocol::Json(news))));
}

void CompletionSender::on_reply(const std::shared_ptr<Sending>& sending,
                                const Result<Outcome<Payload>>& outcome) {
  if (outcome && outcome->ok()) return;  // the run takes it and says so in the store
  const bool refused = outcome && !outcome->ok();
  if (refused || outcome.error().code() == Code::kNotFound ||
      outcome.error().code() == Code::kInvalidArgument || outcome.error().code() == Code::kFailedPrecondition)
    return give_up(*sending);
  later(sending->pause, [self = self(this), sending] { self->try_send(sending); });
  sending->pause = std::min(sending->pause * 2, kMaxPause);
}

void CompletionSender::give_up(const Sending& sending) {
  auto told = deps_.store->end_completion(sending.id, platform::CompletionState::kClosed);
  if (!told)
    deps_.log(fmt::format("a completion for run {} stays untold: {}", sending.run, told.error().message()));
}

}  // namespace holdfast::runs
