#pragma once

// Between the clients and the server: messages take time, overtake each other, arrive twice or not at all,
// and so do answers. A client always hears something in the end: an answer, kUnavailable, or
// kDeadlineExceeded from its own clock.

#include <string>

#include "api/connection.h"
#include "sim/server.h"
#include "sim/world.h"

namespace holdfast::sim {

struct Faults {
  bool on = true;
  int lost_percent = 3;       // of requests, and of answers
  int duplicate_percent = 3;  // of requests
  int slow_percent = 5;       // a message that takes seconds
  int gone_percent = 5;       // of polls: the server finds nobody to give the answer to, and knows it
};

class Network {
 public:
  Network(World& world, Server& server) : world_(world), server_(server) {}

  Faults& faults() { return faults_; }

  using Done = std::move_only_function<void(Result<api::MessagePtr>)>;
  // `done` runs exactly once, unless the simulation ends first.
  void call(api::Method method, const api::Message& request, std::int64_t timeout_ns, Done done);

  // The same until the server answers with something that more tries will not change.
  void call_until_answered(api::Method method, std::shared_ptr<const api::Message> request, Done done);

 private:
  std::int64_t delay();
  // What becomes of the answer to a poll; true: it found nobody.
  bool poller_is_gone(api::Method method, const std::string& identity, Result<api::MessagePtr>& result);
  World& world_;
  Server& server_;
  Faults faults_;
};

}  // namespace holdfast::sim
