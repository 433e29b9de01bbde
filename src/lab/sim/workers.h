#pragma once

// Workflow and activity workers that are slow, forgetful and now and then dead. What a run does is a function
// of its history, as it must be: for every signal an activity and a timer, for every update an answer, then
// its children, then the end.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/messages.h"
#include "sim/clients.h"
#include "sim/network.h"
#include "sim/oracle.h"
#include "sim/world.h"

namespace holdfast::sim {

class Worker {
 public:
  // `host`: the server in whose process it lives, which it calls without a network; null: a process of its
  // own.
  Worker(World& world, Network& network, Server* host, int number);
  void start();
  // Killed with everything it knew and was about to do; start() brings up another.
  void die();
  bool in_process() const { return host_ != nullptr; }
  // Faults are over: from now on it does its work at once and well.
  void behave() { behaving_ = true; }
  // Forgets what it has cached, as a worker does that is killed and replaced.
  void forget() { cache_.clear(); }

 private:
  struct Task {
    std::string identity;
    std::string token;
    std::string run_id;
    std::string workflow_id;
    std::int64_t started_event_id = 0;
    std::vector<pb::protocol::v1::Message> messages;
  };

  std::string new_identity(const char* kind);
  void call(api::Method method, const api::Message& request, std::int64_t timeout_ns, Network::Done done);
  void call_until_answered(api::Method method, std::shared_ptr<const api::Message> request);
  // Later, if it still lives.
  void after(std::int64_t delay_ns, World::Job job);
  void poll_workflow(bool sticky);
  void workflow_task(const std::string& identity, const ws::PollWorkflowTaskQueueResponse& task);
  void complete(const Task& task, Events events);
  void answer_updates(const Task& task, ws::RespondWorkflowTaskCompletedRequest& request) const;

  void poll_activity();
  void activity_task(const std::string& identity, const ws::PollActivityTaskQueueResponse& task);
  void complete_activity(const std::string& identity, const std::string& token, bool failed,
                         std::int64_t delay);
  void heartbeat(const std::string& identity, const std::string& token, int left);

  World& world_;
  Network& network_;
  Server* host_;
  int number_;
  std::uint64_t life_ = 0;
  bool behaving_ = false;
  std::uint64_t polls_ = 0;
  std::string sticky_queue_;
  std::map<std::string, Events> cache_;  // run id -> history up to the last task it completed
};

// The commands that follow from a history.
void decide(const Events& events, const std::string& workflow_id, std::size_t updates_now,
            ws::RespondWorkflowTaskCompletedRequest& request);

}  // namespace holdfast::sim
