#include "rpc/state.h"

#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "os/heap.h"
#include "rpc/call.h"
#include "rpc/peer.h"

namespace holdfast::rpc {

void Answers::add(std::shared_ptr<Call> call) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = calls_.empty();
    calls_.push_back(std::move(call));
  }
  if (first) boost::asio::post(io_, [this] { take(); });
}

void Answers::take() {
  std::vector<std::shared_ptr<Call>> calls;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(calls_);
  }
  for (const auto& call : calls) {
    try {
      call->send_answer();
    } catch (const std::exception& error) {
      if (!call->over()) call->end(Status(Code::kInternal, error.what()));
    }
  }
}

void Deadlines::add(MonotonicTime when, Call& call) {
  const auto at = entries_.emplace(when, &call).first;
  if (at == entries_.begin()) wait();
}

void Deadlines::remove(MonotonicTime when, Call& call) {
  entries_.erase({when, &call});
}

void Deadlines::wait() {
  timer_.expires_after(
      std::max(MonotonicTime::duration::zero(), entries_.begin()->first - clock_.monotonic()));
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) look();
  });
}

void Deadlines::look() {
  const MonotonicTime now = clock_.monotonic();
  while (!entries_.empty() && entries_.begin()->first <= now) {
    Call* const call = entries_.begin()->second;
    entries_.erase(entries_.begin());
    call->on_deadline();
  }
  if (!entries_.empty()) wait();
}

ServerState::ServerState(api::Connection& behind, const ServerOptions& server_options)
    : connection(behind),
      options(server_options),
      clock(server_options.clock != nullptr ? *server_options.clock : machine_clock),
      memory(server_options.memory != nullptr ? *server_options.memory : own_memory),
      bulk("large and waiting calls over gRPC", memory.limit() / 8 * 7, &memory),
      waiting("calls over gRPC that wait", memory.limit() / 2, &bulk),
      deadlines(io, clock),
      transfers(clock, server_options.transfer_timeout) {}

bool ServerState::has_room(std::size_t own, std::size_t more, std::size_t used, std::size_t limit) {
  constexpr std::size_t kTimesWhatIsFree = 4;
  const std::size_t free = used < limit ? limit - used : 0;
  return more <= free && own < kTimesWhatIsFree * free;
}

void ServerState::begin_transfer(Call& call, Transfers::Place& place) {
  transfers.begin(call, place);
  watch_transfers();
}

void ServerState::watch_transfers() {
  if (std::exchange(transfer_timer_set_, true)) return;
  transfer_timer_.expires_after(Transfers::kLook);
  transfer_timer_.async_wait([this](boost::system::error_code cancelled) {
    transfer_timer_set_ = false;
    if (!cancelled) look_at_transfers();
  });
}

bool ServerState::heap_is_full() const {
  return options.heap_bytes != 0 && os::heap_bytes().value_or(0) > options.heap_bytes;
}

void ServerState::look_at_transfers() {
  transfers.end_overdue();
  if (!transfers.empty() && heap_is_full()) transfers.end_slow();
  if (!transfers.empty()) watch_transfers();
}

}  // namespace holdfast::rpc
