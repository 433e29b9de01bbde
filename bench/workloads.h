#pragma once

// The workloads, under the numbers that docs/guide/testing.md gives them.

#include <sys/types.h>

#include <string>

#include "generator.h"
#include "report.h"
#include "worker.h"

namespace holdfast::bench {

struct WorkloadOptions {
  pid_t server_pid = 0;                                          // 0: no figures of the server's own
  std::chrono::milliseconds at_most = std::chrono::seconds(10);  // per workload
  int count = 0;                                                 // 0: the workload's own
};

// W1: ten steps, one client.
void ten_steps(Generator& generator, const WorkloadOptions& options, Report& report);
// W2: ten steps, 100 in flight.
void hundred_in_flight(Generator& generator, const WorkloadOptions& options, Report& report);
// W3: signal sent -> result.
void signal_to_result(Generator& generator, Wire& wire, const WorkloadOptions& options, Report& report);
// W5: 100 activities at once.
void fan_out(Generator& generator, const WorkloadOptions& options, Report& report);
// W9: a run that does nothing: start sent -> result.
void start_to_result(Generator& generator, const WorkloadOptions& options, Report& report);

}  // namespace holdfast::bench
