#pragma once

// A workflow and activity worker without an SDK: prebuilt commands, no replay, sticky queues as the real ones
// have them. What a run does is in its workflow type:
//   noop     completes at once
//   steps-N  N no-op activities, one after the other
//   fan-N    N no-op activities at once
//   signal   completes with the first signal
//   until-S  starts a timer that is due S seconds after 1970
//   timer    starts a timer of an hour and stays parked
//   held     one activity, which the worker holds back until release_held()

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "wire.h"

namespace holdfast::bench {

struct WorkerOptions {
  std::string ns = "default";
  std::string queue = "bench";
  int workflow_pollers = 8;  // on the normal queue, and as many on the sticky one
  int activity_pollers = 8;
};

class Worker {
 public:
  Worker(Wire& wire, WorkerOptions options);

  // Starts polling; goes on until the wire closes.
  void start();
  // Workflow tasks.
  std::uint64_t completed() const { return completed_; }
  std::uint64_t activities_done() const { return activities_; }
  std::size_t held() const { return held_.size(); }
  // Completes the held activities, with the tokens they were handed out with.
  void release_held();
  // The first call that failed for another reason than a lost task or a lost server. Empty: none.
  const std::string& error() const { return error_; }

 private:
  struct Run {
    int scheduled = 0;
    int done = 0;
    int signals = 0;
    int timers = 0;
  };

  void poll_workflow(bool sticky);
  void poll_activity();
  void workflow_task(ws::PollWorkflowTaskQueueResponse& task);
  void decide(const std::string& run_id, const std::string& type, const std::string& token);
  void read(Run& run, const pb::history::v1::History& history) const;
  void complete(ws::RespondWorkflowTaskCompletedRequest request, std::string run_id);
  void complete_activity(ws::RespondActivityTaskCompletedRequest request);
  void schedule_activity(ws::RespondWorkflowTaskCompletedRequest& request, int number, bool held) const;
  static void start_timer(ws::RespondWorkflowTaskCompletedRequest& request, std::chrono::milliseconds time);
  void note_error(const char* call, const grpc::Status& status);

  Wire& wire_;
  WorkerOptions options_;
  std::string sticky_queue_;
  std::unordered_map<std::string, Run> runs_;
  std::vector<std::string> held_;  // task tokens
  std::uint64_t activities_ = 0;
  std::uint64_t completed_ = 0;
  std::string error_;
};

}  // namespace holdfast::bench
