#include "rpc/turns.h"

#include <utility>

#include "rpc/call.h"

namespace holdfast::rpc {

void Turns::add(const void* from, std::shared_ptr<Call> call) {
  auto& own = calls_[from];
  if (own.empty()) turns_.push_back(from);
  own.push_back(std::move(call));
}

std::shared_ptr<Call> Turns::take() {
  while (!turns_.empty()) {
    const void* const from = turns_.front();
    turns_.pop_front();
    const auto found = calls_.find(from);
    std::shared_ptr<Call> call = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) {
      calls_.erase(found);
    } else {
      turns_.push_back(from);
    }
    if (!call->over()) return call;
  }
  return nullptr;
}

}  // namespace holdfast::rpc
