#pragma once

// The activities of a flow's run. As those of an agent: look up what an earlier attempt recorded under the
// key; else do the work; commit; tell; answer with references.
//
// Thread-safe; one object serves all activity threads. Failing is throwing ApplicationFailure.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "block/program.h"
#include "holdfast/activity.h"
#include "perform/block_books.h"
#include "perform/register_flows.h"
#include "protocol/flow_run.h"
#include "tool/activity_tool.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxCachedPrograms = 256;

class FlowActivities {
 public:
  FlowActivities(agent::Deps deps, Evaluate evaluate)
      : deps_(std::move(deps)), evaluate_(std::move(evaluate)) {}

  protocol::FlowPlan begin(activity::Context& ctx, const protocol::FlowInput& in);
  void step(activity::Context& ctx, const protocol::FlowStepInput& in);
  protocol::FlowResult finish(activity::Context& ctx, const protocol::FlowFinishInput& in);
  // blocks_activity.cc
  protocol::FlowBlocksResult blocks(activity::Context& ctx, const protocol::FlowBlocksInput& in);

 private:
  using ProgramPtr = std::shared_ptr<const Program>;
  struct OneActivity;

  ProgramPtr program(const std::string& flow, const std::string& version);
  BlockBooks books(activity::Context& ctx, const Program& program);
  Json end_event(BlockBooks& books, const Program& program, const protocol::FlowFinishInput& in,
                 protocol::FlowResult& result);

  // blocks_activity.cc
  BlockOutcome run_block(OneActivity& at, std::size_t block);
  Result<sandbox::Reply> evaluate(activity::Context& ctx, const Program& program,
                                  const sandbox::Request& request);
  // tool_calls.cc
  BlockOutcome call_tool(OneActivity& at, std::size_t block, const std::string& arguments);
  agent::ToolEnding attempt_call(OneActivity& at, std::size_t block, const Json& arguments);
  agent::ToolEnding one_call(OneActivity& at, std::size_t block, const Json& arguments);
  void retry_later(OneActivity& at, std::size_t block, const agent::ToolEnding& ending);

  const agent::Deps deps_;
  const Evaluate evaluate_;
  std::mutex mutex_;
  std::map<std::string, ProgramPtr> programs_;  // by version; guarded by mutex_
};

}  // namespace holdfast::flows
