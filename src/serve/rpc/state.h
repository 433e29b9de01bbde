#pragma once

// What all connections and calls of one server share. Everything is the io thread's, but where it says
// otherwise.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "api/connection.h"
#include "base/memory_budget.h"
#include "os/clock.h"
#include "rpc/gate.h"
#include "rpc/large_lane.h"
#include "rpc/server.h"
#include "rpc/transfers.h"

namespace holdfast::rpc {

class Call;
class Peer;

// Results of calls on their way to the io thread: a burst of them costs one wake-up. add() is thread-safe.
class Answers {
 public:
  explicit Answers(boost::asio::io_context& io) : io_(io) {}
  void add(std::shared_ptr<Call> call);

 private:
  void take();

  boost::asio::io_context& io_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Call>> calls_;  // guarded by mutex_
};

// When calls end whose client set a time. The client ends them too; one that has gone does not.
class Deadlines {
  using Entry = std::pair<MonotonicTime, Call*>;

 public:
  Deadlines(boost::asio::io_context& io, const Clock& clock) : clock_(clock), timer_(io) {}
  void add(MonotonicTime when, Call& call);
  void remove(MonotonicTime when, Call& call);
  void stop() { timer_.cancel(); }

 private:
  void wait();
  void look();

  const Clock& clock_;
  boost::asio::steady_timer timer_;
  std::set<Entry> entries_;
};

struct ServerState {
  ServerState(api::Connection& behind, const ServerOptions& server_options);

  // Of the server's limits, what is left for one that has `own` already: the more are there, the less for
  // each, and some of it is always free for one that comes.
  static bool has_room(std::size_t own, std::size_t more, std::size_t used, std::size_t limit);

  void begin_transfer(Call& call, Transfers::Place& place);
  bool heap_is_full() const;

  api::Connection& connection;
  const ServerOptions options;
  os::SystemClock machine_clock{};
  const Clock& clock;
  MemoryBudget own_memory{"gRPC", 256 << 20};
  MemoryBudget& memory;
  // Shares of it: what small calls need stays free of large ones, and of those that wait.
  MemoryBudget bulk;
  MemoryBudget waiting;
  boost::asio::io_context io{1};
  Answers answers{io};
  Deadlines deadlines;
  Transfers transfers;
  Gate gate;
  LargeLane lane{io};
  std::set<std::shared_ptr<Peer>> peers;
  std::uint64_t peers_ever = 0;
  std::atomic<std::size_t> open_calls{0};  // thread-safe; their objects, those that are over included
  bool stopping = false;

 private:
  void watch_transfers();
  void look_at_transfers();

  boost::asio::steady_timer transfer_timer_{io};
  bool transfer_timer_set_ = false;
};

}  // namespace holdfast::rpc
