#pragma once

// LargeLane: long requests become messages, and long replies bytes, on a thread of its own, so that the io
// thread stays free for the others. One at a time, connections in turns, so that nobody waits for all that
// somebody else has sent; replies first, since they give memory back. Only a few long requests are with the
// engine at once: each of them holds up the commits of others.
//
// Owner: the server's state. Its calls come from the io thread only.

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>

#include "os/thread_executor.h"
#include "rpc/turns.h"

namespace holdfast::rpc {

class Call;

class LargeLane {
 public:
  // Messages from here on.
  static constexpr std::size_t kLargeBytes = 64 << 10;

  explicit LargeLane(boost::asio::io_context& io) : io_(io) {}

  // call->work_in_lane() runs on the lane's thread, then call->leave_lane() on the io thread; neither, when
  // the call is over before its turn comes. `from` tells connections apart.
  void add_request(const void* from, std::shared_ptr<Call> call);
  void add_reply(const void* from, std::shared_ptr<Call> call);
  // The engine is through with a request that came this way.
  void left_engine();

 private:
  void go_on();
  void run(std::shared_ptr<Call> call, bool is_request);

  static constexpr int kMostWithEngine = 2;

  boost::asio::io_context& io_;
  Turns requests_;
  Turns replies_;
  int with_engine_ = 0;
  bool busy_ = false;
  os::ThreadExecutor thread_{"hf-rpc-large"};
};

}  // namespace holdfast::rpc
