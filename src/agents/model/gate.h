#pragma once

// Gate: where model calls wait for their provider key's turn: for one of its slots, for its requests and
// tokens of the minute, and for the time at which the provider wants to be asked again. What one call is told
// (retry-after) holds back all of that key. Fair between agents: their lines are served in turn.
//
// A call takes a slot before it gathers what it will say, so that no more requests than slots are in memory,
// and asks to send once it knows how large it is. Whoever waits gives signs of life meanwhile and may give
// up: a Pass that is let go of gives back what it holds.
//
//   auto pass = gate.join(use, agent);
//   while (!pass->slot_within(500ms)) beat();
//   while (!pass->send_within(tokens, 500ms)) beat();
//
// Thread-safe; a Pass belongs to one thread and may outlive the Gate. Counts for one process: another one
// with the same key has slots and minutes of its own.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "model/limits.h"

namespace holdfast::model {

// From so many on keys that nobody uses are forgotten, and if all are used, the next ones share what is left.
inline constexpr std::size_t kMaxGateKeys = 1024;

// What an operator sees of a key.
struct KeyState {
  std::string name;
  Limit limit;
  std::size_t in_use = 0;
  std::size_t waiting = 0;
  std::int64_t requests = 0;  // of the last minute
  std::int64_t tokens = 0;
  std::chrono::milliseconds held_back{0};  // still, by the provider's word
};

class Gate {
 public:
  class Pass;
  Gate(Limits limits, const Clock& clock);

  std::shared_ptr<Pass> join(const KeyUse& use, const std::string& agent);
  // How long the provider wants to be left alone still; zero: it may be asked.
  std::chrono::milliseconds held_back(const KeyUse& use) const;
  std::vector<KeyState> states() const;

 private:
  struct Key;
  struct State;
  friend class Pass;
  std::shared_ptr<State> state_;
};

class Gate::Pass {
 public:
  ~Pass();
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  // Whether it has one of the key's slots; if not, after waiting for it.
  bool slot_within(std::chrono::milliseconds longest);
  // Whether a request of so many tokens, at worst, may go out now. Has a slot.
  bool send_within(std::int64_t tokens, std::chrono::milliseconds longest);
  // It has gone out, and came to so many.
  void used(std::int64_t tokens);
  // The provider wants to be left alone for so long.
  void hold_back(std::chrono::milliseconds time);
  // The limit that it may be waiting for.
  const std::string& limit_name() const { return name_; }

 private:
  friend class Gate;
  Pass(std::shared_ptr<State> state, std::shared_ptr<Key> key, std::string agent);

  const std::shared_ptr<State> state_;
  const std::shared_ptr<Key> key_;
  const std::string agent_;
  const std::string name_;
  // Guarded by the state's mutex.
  bool asked_slot_ = false;
  bool has_slot_ = false;
  bool asked_send_ = false;
  bool sent_ = false;
  std::int64_t tokens_ = 0;
  MonotonicTime sent_at_{};
  std::condition_variable served_;
  friend struct Gate::Key;
};

}  // namespace holdfast::model
