#include "net/large_turns.h"

#include <algorithm>

namespace holdfast::net {

std::shared_ptr<LargeTurn> LargeTurns::join() const {
  return std::shared_ptr<LargeTurn>(new LargeTurn(state_));
}

void LargeTurns::State::hand_out() {
  while (free > 0 && !waiting.empty()) {
    --free;
    waiting.front()->held_ = true;
    waiting.pop_front();
  }
  handed_out.notify_all();
}

void LargeTurn::join_queue() {
  if (std::exchange(asked_, true)) return;
  state_->waiting.push_back(this);
  state_->hand_out();
}

bool LargeTurn::take() {
  return take_within(std::chrono::milliseconds(0));
}

bool LargeTurn::take_within(std::chrono::milliseconds longest) {
  std::unique_lock lock(state_->mutex);
  join_queue();
  return state_->handed_out.wait_for(lock, longest, [this] { return held_; });
}

LargeTurn::~LargeTurn() {
  const std::lock_guard lock(state_->mutex);
  if (held_) {
    ++state_->free;
  } else if (asked_) {
    std::erase(state_->waiting, this);
  }
  state_->hand_out();
}

}  // namespace holdfast::net
