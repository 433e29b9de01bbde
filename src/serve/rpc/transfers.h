#pragma once

// Transfers: the calls whose bytes are on their way, in one direction. What takes too long ends; when memory
// is short, what is slow makes room, the longest first. Each has the same time, so the order in which they
// began is that of their ends. Owner: the server's state; its io thread only.

#include <chrono>
#include <list>
#include <optional>

#include "holdfast/seams.h"

namespace holdfast::rpc {

class Call;

class Transfers {
  struct Entry {
    Call* call;
    MonotonicTime since;
  };
  using Entries = std::list<Entry>;

 public:
  // Where one call stands; not at all, most of the time.
  using Place = std::optional<Entries::iterator>;

  Transfers(const Clock& clock, std::chrono::milliseconds longest) : clock_(clock), longest_(longest) {}

  void begin(Call& call, Place& place);
  void end(Place& place);
  bool empty() const { return entries_.empty(); }

  // Ends what is over its time.
  void end_overdue();
  // Ends half of what is slow. False: nothing is.
  bool end_slow();
  // The same; when nothing is, some of the oldest whose connections hold far more than
  // `asking`, that of the call it is for. False: there is nothing of either kind.
  bool make_room(std::size_t asking);

  // How often to look at it while there is something.
  static constexpr std::chrono::milliseconds kLook{100};

 private:
  bool end_of_the_rich(std::size_t asking);

  static constexpr std::size_t kLookedAt = 64;
  static constexpr std::size_t kTimesRicher = 16;

  const Clock& clock_;
  const std::chrono::milliseconds longest_;
  Entries entries_;
};

}  // namespace holdfast::rpc
