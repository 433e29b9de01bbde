#pragma once

// Breaker: whether an endpoint and its key are worth a call, judged by how the last calls ended. Closed: they
// are. When too many of a sliding window failed, it opens: none for a while. Then it is half open: exactly
// one call, the probe; it works, and the breaker closes, or it does not, and it is open for twice as long.
// Breakers: one for each endpoint, shared by all runs of the process.
//
// What counts as a failure is what says something of the endpoint (opens_circuit()); a prompt that is refused
// says nothing of it. Breakers are thread-safe; a Breaker is not, and is pure.

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "holdfast/seams.h"
#include "model/error.h"

namespace holdfast::model {

struct BreakerRules {
  int failures = 5;  // so many within the window, and at least half of all calls there
  std::chrono::milliseconds window{60'000};
  std::chrono::milliseconds open_for{30'000};  // doubled by each probe that fails
  std::chrono::milliseconds longest_open{300'000};
};

inline constexpr std::size_t kMaxBreakers = 1024;

enum class CallEnd : std::uint8_t {
  kWorked,   // the endpoint answered
  kFailed,   // it did not, or refused because of itself
  kNeither,  // nothing was learnt
};

// What an error says of the endpoint.
CallEnd end_of(const Error& error);

class Breaker {
 public:
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };
  enum class May : std::uint8_t { kCall, kProbe, kNot };

  explicit Breaker(BreakerRules rules) : rules_(rules) {}

  May ask(MonotonicTime now);
  // `probe`: what ask() said was kProbe.
  void ended(CallEnd end, bool probe, MonotonicTime now);

  State state(MonotonicTime now) const;
  bool is_probing() const { return probing_; }
  // When it may be asked again; while a probe is under way nobody knows.
  MonotonicTime open_until() const { return open_until_; }
  // Nothing would be lost with it.
  bool is_quiet(MonotonicTime now) const;

 private:
  // The window slides by a tenth of itself.
  static constexpr std::size_t kSlices = 10;
  struct Slice {
    std::int64_t number = -1;
    int calls = 0;
    int failures = 0;
  };
  struct Sum {
    int calls = 0;
    int failures = 0;
  };

  std::int64_t slice_at(MonotonicTime now) const;
  Sum sum(MonotonicTime now) const;
  void open(MonotonicTime now);
  void close();

  const BreakerRules rules_;
  std::array<Slice, kSlices> slices_{};
  bool open_ = false;
  bool probing_ = false;
  MonotonicTime open_until_{};
  std::chrono::milliseconds open_for_{0};  // the last time
};

class Breakers {
  struct State;

 public:
  Breakers(BreakerRules rules, const Clock& clock) : state_(std::make_shared<State>(rules, clock)) {}

  // One call under way. One that nobody ends ended as kNeither.
  class Call {
   public:
    Call(Call&&) noexcept = default;
    Call& operator=(Call&&) = delete;
    ~Call();
    void ended(CallEnd end);
    bool is_probe() const { return probe_; }

   private:
    friend class Breakers;
    Call(std::shared_ptr<State> state, std::shared_ptr<Breaker> breaker, bool probe)
        : state_(std::move(state)), breaker_(std::move(breaker)), probe_(probe) {}
    std::shared_ptr<State> state_;
    std::shared_ptr<Breaker> breaker_;  // null once it ended
    bool probe_ = false;
  };

  // For how long its circuit is open still (zero: a probe is under way), or the call that may be made.
  std::expected<Call, std::chrono::milliseconds> enter(const std::string& endpoint);
  // A call that is made whatever the circuit says, because there is no other way; its end counts all the
  // same.
  Call enter_anyway(const std::string& endpoint);
  // The same without asking for a call. None: it is closed, or a probe is due.
  std::optional<std::chrono::milliseconds> open_for(const std::string& endpoint) const;
  // By endpoint: how each circuit stands.
  std::map<std::string, Breaker::State> states() const;

 private:
  struct State {
    State(BreakerRules rules_in, const Clock& clock_in) : rules(rules_in), clock(clock_in) {}
    std::shared_ptr<Breaker> of(const std::string& endpoint);  // mutex held

    const BreakerRules rules;
    const Clock& clock;
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<Breaker>> breakers{};  // guarded by mutex, and they are
  };

  std::shared_ptr<State> state_;
};

}  // namespace holdfast::model
