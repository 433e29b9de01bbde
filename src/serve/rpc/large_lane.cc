#include "rpc/large_lane.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "rpc/call.h"

namespace holdfast::rpc {

void LargeLane::add_request(const void* from, std::shared_ptr<Call> call) {
  requests_.add(from, std::move(call));
  go_on();
}

void LargeLane::add_reply(const void* from, std::shared_ptr<Call> call) {
  replies_.add(from, std::move(call));
  go_on();
}

void LargeLane::left_engine() {
  --with_engine_;
  go_on();
}

void LargeLane::go_on() {
  if (busy_) return;
  if (auto call = replies_.take()) return run(std::move(call), false);
  if (with_engine_ >= kMostWithEngine) return;
  if (auto call = requests_.take()) return run(std::move(call), true);
}

void LargeLane::run(std::shared_ptr<Call> call, bool is_request) {
  busy_ = true;
  call->enter_lane();
  if (is_request) ++with_engine_;
  thread_.post([this, call = std::move(call)]() mutable {
    call->work_in_lane();
    boost::asio::post(io_, [this, call = std::move(call)] {
      busy_ = false;
      call->leave_lane();
      go_on();
    });
  });
}

}  // namespace holdfast::rpc
