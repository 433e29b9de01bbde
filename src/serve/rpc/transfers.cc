#include "rpc/transfers.h"

#include <fmt/format.h>

#include <vector>

#include "rpc/call.h"

namespace holdfast::rpc {

void Transfers::begin(Call& call, Place& place) {
  end(place);
  place = entries_.insert(entries_.end(), {.call = &call, .since = clock_.monotonic()});
}

void Transfers::end(Place& place) {
  if (place) entries_.erase(*place);
  place.reset();
}

// give_up() takes the call out of the list.
void Transfers::end_overdue() {
  const MonotonicTime now = clock_.monotonic();
  while (!entries_.empty() && now - entries_.front().since >= longest_) {
    entries_.front().call->give_up(
        Status(Code::kDeadlineExceeded,
               fmt::format("the call's bytes were not through after {} ms", longest_.count())));
  }
}

bool Transfers::make_room(std::size_t asking) {
  return end_slow() || end_of_the_rich(asking);
}

bool Transfers::end_slow() {
  const MonotonicTime now = clock_.monotonic();
  std::size_t slow = 0;
  for (const Entry& entry : entries_) {
    if (now - entry.since < kLook) break;
    ++slow;
  }
  for (std::size_t left = (slow + 1) / 2; left > 0; --left) {
    entries_.front().call->give_up(exhausted(
        "memory is short, and the call's bytes come or go slowly; try again later", /*too_many=*/false));
  }
  return slow > 0;
}

bool Transfers::end_of_the_rich(std::size_t asking) {
  std::vector<Call*> rich;
  std::size_t looked_at = 0;
  for (auto entry = entries_.begin(); entry != entries_.end() && looked_at < kLookedAt;
       ++entry, ++looked_at) {
    if (entry->call->held_by_connection() / kTimesRicher > asking) rich.push_back(entry->call);
  }
  for (Call* call : rich) {
    call->give_up(exhausted("memory is short, and the call's connection holds much; try again later",
                            /*too_many=*/false));
  }
  return !rich.empty();
}

}  // namespace holdfast::rpc
