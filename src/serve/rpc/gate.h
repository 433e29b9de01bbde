#pragma once

// Gate: how many short calls are with the engine at once. It takes them in the order in which they come, so
// whoever sends thousands would be all that the others wait for; here connections have their turns instead.
// Calls that wait for something do not go through it: they take no time of the engine's. Owner: the server's
// state; io thread only.

#include <memory>

#include "rpc/turns.h"

namespace holdfast::rpc {

class Gate {
 public:
  // So many fill a batch of the engine's and keep it busy while the batch before is written.
  static constexpr int kMost = 24;

  // call->start_parsed(), now or when its turn comes; never, when it is over before.
  void enter(const void* from, std::shared_ptr<Call> call);
  // One of them is answered.
  void leave();

 private:
  void go_on();

  Turns waiting_;
  int inside_ = 0;
};

}  // namespace holdfast::rpc
