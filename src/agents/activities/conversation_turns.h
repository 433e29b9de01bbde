#pragma once

// Runs that go on in one conversation are put one behind the other, in the order in which they came, and so
// are runs of an agent that have a key in common, as its `flow` says. The lines are in the platform store
// (Store::take_turn, Store::take_flow), and waiting is the engine's: an activity that is not yet
// at its turn fails and is tried again, which costs no event of a history. A run that is over without having
// left the line (terminated by whoever, timed out, its store away at its end) is taken out of it by the one
// behind: the engine says that it is over. An engine that does not answer says nothing.
//
// Thread-safe; owned by the activities. Failures: what ApplicationFailure says; kBusyType is tried again.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "holdfast/activity.h"
#include "holdfast/client.h"
#include "platform/store.h"

namespace holdfast::agent {

inline constexpr const char* kBusyType = "ConversationBusyError";
inline constexpr const char* kFlowBusyType = "FlowBusyError";
// It is not taken, or another run stands for it.
inline constexpr const char* kFlowLimitedType = "FlowLimitedError";
inline constexpr const char* kSupersededType = "SupersededError";

class ConversationTurns {
 public:
  // `engine` null: whoever stands in the line is taken to be open.
  ConversationTurns(platform::Store* store, const Client* engine) : store_(store), engine_(engine) {}

  // Returns when it is the run's turn. Else throws, after a short wait here; `waits` is told behind whom.
  void take(activity::Context& ctx, const std::string& conversation, const std::string& run,
            const std::function<void(const std::string& behind)>& waits);
  // Returns when the run may begin, else throws, as above; `tell` is told what becomes of it, before it waits
  // or ends.
  platform::FlowTurn take_flow(activity::Context& ctx, const platform::FlowPlace& place, WallTime now,
                               const std::function<void(const platform::FlowTurn&)>& tell);
  // When there is nothing left to say. `conversation`: where it spoke, as far as that is known.
  void leave(const std::string& run, const std::string& conversation);
  // Whether the run has closed, as far as the engine says so clearly.
  bool is_over(const std::string& run) const;

 private:
  static constexpr std::size_t kPlaces = 64;
  std::atomic<std::uint64_t>& changes(const std::string& conversation);
  // Who is before it; empty: nobody.
  std::string before(const std::string& conversation, const std::string& run, platform::Turn& turn);
  bool wait_here(activity::Context& ctx, const std::string& conversation, std::uint64_t seen,
                 bool behind_owner);
  // Takes those out of the line that are over. Whether there were any.
  bool clear(const platform::FlowTurn& turn, std::int32_t attempt);
  // Runs for which another one stands, or does the work, end as cancelled.
  void end_others(const platform::FlowTurn& turn);
  [[noreturn]] void end_superseded(const platform::FlowTurn& turn);

  platform::Store* const store_;
  const Client* const engine_;
  std::array<std::atomic<std::uint64_t>, kPlaces> changes_{};  // by the hash of a conversation
  std::atomic<int> waiting_here_ = 0;
};

}  // namespace holdfast::agent
