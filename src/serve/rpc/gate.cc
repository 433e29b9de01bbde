#include "rpc/gate.h"

#include <utility>

#include "rpc/call.h"

namespace holdfast::rpc {

void Gate::enter(const void* from, std::shared_ptr<Call> call) {
  waiting_.add(from, std::move(call));
  go_on();
}

void Gate::leave() {
  --inside_;
  go_on();
}

void Gate::go_on() {
  while (inside_ < kMost) {
    const auto call = waiting_.take();
    if (!call) return;
    ++inside_;
    call->start_parsed();
  }
}

}  // namespace holdfast::rpc
