#pragma once

// LargeTurns: how many exchanges with other servers may be large at one time. Each may need as much memory as
// the largest request and answer take, and there may be very many that need next to nothing: so whoever finds
// that his is a large one takes a turn before he goes on, and a transfer whose answer grows stops reading
// until it has one. Turns come in the order in which they were asked for.
//
// Thread-safe. A turn is given back when the last who uses the exchange lets go of it; it may outlive
// LargeTurns.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace holdfast::net {

// From here on requests and answers are large.
inline constexpr std::size_t kLargeExchange = 1 << 20;

class LargeTurn;

class LargeTurns {
 public:
  explicit LargeTurns(std::size_t at_once) : state_(std::make_shared<State>(at_once)) {}

  // Of one exchange, which may be large or not.
  std::shared_ptr<LargeTurn> join() const;

 private:
  friend class LargeTurn;
  struct State {
    explicit State(std::size_t at_once) : free(at_once) {}
    void hand_out();  // mutex held

    std::mutex mutex;
    std::condition_variable handed_out;
    std::size_t free;                  // guarded by mutex
    std::deque<LargeTurn*> waiting{};  // guarded by mutex
  };

  std::shared_ptr<State> state_;
};

class LargeTurn {
 public:
  ~LargeTurn();
  LargeTurn(const LargeTurn&) = delete;
  LargeTurn& operator=(const LargeTurn&) = delete;

  // Whether it is this one's turn. If not, it will be: ask again.
  bool take();
  // The same, after waiting for it.
  bool take_within(std::chrono::milliseconds longest);

 private:
  friend class LargeTurns;
  explicit LargeTurn(std::shared_ptr<LargeTurns::State> state) : state_(std::move(state)) {}
  void join_queue();  // mutex held

  const std::shared_ptr<LargeTurns::State> state_;
  bool asked_ = false;  // guarded by the state's mutex
  bool held_ = false;   // guarded by the state's mutex
  friend struct LargeTurns::State;
};

}  // namespace holdfast::net
