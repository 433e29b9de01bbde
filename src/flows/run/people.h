#pragma once

// People: what a run of a flow asks people, by the same requests, decisions and deadlines as an agent's
// (agent/pending.h). Deterministic workflow code; one per run, shared with its handler, which outlives the
// main coroutine.

#include <memory>
#include <string>

#include "agent/pending.h"
#include "holdfast/workflow.h"
#include "protocol/activities.h"
#include "protocol/flow_run.h"

namespace holdfast::flows {

class People : public std::enable_shared_from_this<People> {
 public:
  explicit People(workflow::Context& ctx) : ctx_(ctx) {}

  void register_handler();
  // Whose run it is, and by which key decisions are signed.
  void begin(const protocol::FlowPlan& plan);

  // Waits for the answer to what the call's input, a HumanQuestion, says, or for the end of its time. Throws
  // when nobody gave one. Cancelled, it closes the question first.
  Task<protocol::ToolAnswer> ask(protocol::PlannedCall planned);

  // Open questions, as the status of an agent's run has them.
  protocol::Json status() const;

 private:
  Task<agent::PendingPtr> request(protocol::PlannedCall planned, std::int64_t deadline_ms);
  Task<void> settle(agent::PendingPtr pending);
  void check(const protocol::Decision& decision) const;
  protocol::Json decide(const protocol::Decision& decision);
  std::int64_t now_ms() const;

  workflow::Context& ctx_;
  std::string flow_;
  std::string version_;
  std::string key_;
  agent::OpenQuestions open_;
};

}  // namespace holdfast::flows
