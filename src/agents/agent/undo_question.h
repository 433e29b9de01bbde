#pragma once

// What a run that takes effects back asks people: whether a call that perhaps took one back is made again. It
// stands in the index of approvals like every question; approve means call again, reject and silence mean
// leave it. Shared with its handler, which outlives the main coroutine.

#include <memory>
#include <string>

#include "agent/pending.h"
#include "holdfast/workflow.h"

namespace holdfast::agent {

class UndoQuestions : public std::enable_shared_from_this<UndoQuestions> {
 public:
  explicit UndoQuestions(workflow::Context& ctx) : ctx_(ctx) {}

  void register_handler();
  // By which key decisions are signed.
  void begin(std::string decision_key) { key_ = std::move(decision_key); }
  // Whether somebody said that it is made again. A run that is cancelled waits no more.
  Task<bool> ask(protocol::ApprovalInput in);
  protocol::Json status() const;

 private:
  void check(const protocol::Decision& decision) const;
  protocol::Json decide(const protocol::Decision& decision);
  Task<void> settle(PendingPtr pending);
  std::int64_t now_ms() const;

  workflow::Context& ctx_;
  std::string key_;
  OpenQuestions open_;
};

}  // namespace holdfast::agent
