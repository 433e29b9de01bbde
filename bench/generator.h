#pragma once

// The client half of the load: starts runs, waits for their results, signals them, reads and checks their
// histories.

#include <cstdint>
#include <string>
#include <vector>

#include "wire.h"

namespace holdfast::bench {

struct Flow {
  std::string type;
  std::string workflow_id;
  std::string run_id;
  SteadyTime begun;
  double ack_ms = 0;     // start sent -> start acknowledged
  double result_ms = 0;  // start sent -> closing event received
};

struct Load {
  std::string type;
  int in_flight = 1;
  int count = 100;
  std::chrono::milliseconds at_most = std::chrono::seconds(10);  // no new starts after that
  bool wait_for_results = true;
};

struct LoadResult {
  std::vector<Flow> flows;
  double seconds = 0;  // first start -> last result
};

class Generator {
 public:
  Generator(Wire& wire, std::string ns, std::string queue);

  LoadResult run(const Load& load);

  // Both are retried while the server is away.
  void start(const std::string& type, std::move_only_function<void(Flow)> started);
  void result(Flow flow, std::move_only_function<void(Flow)> done);
  void signal(const Flow& flow);

  // Waits until the run's history has at least `events` events.
  bool wait_for_events(const Flow& flow, int events);

  // Reads every history and compares it, event by event, with what its type must leave. Empty: all as they
  // must be.
  std::string check(const std::vector<Flow>& flows);

  const std::string& error() const { return error_; }

 private:
  void begin(const Load& load, LoadResult& result, int& started, int& open, SteadyTime deadline);
  void send_start(ws::StartWorkflowExecutionRequest request, Flow flow,
                  std::move_only_function<void(Flow)> started);

  Wire& wire_;
  std::string ns_;
  std::string queue_;
  std::string prefix_;  // unique to this generator
  std::uint64_t next_ = 0;
  std::string error_;
};

}  // namespace holdfast::bench
