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
#include "block/values.h"
#include "definition/definition.h"
#include "holdfast/activity.h"
#include "perform/block_books.h"
#include "perform/parts.h"
#include "perform/register_flows.h"
#include "protocol/flow_run.h"
#include "tool/activity_tool.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxCachedPrograms = 256;

class FlowActivities {
 public:
  FlowActivities(agent::Deps deps, Evaluate evaluate)
      : deps_(std::move(deps)), evaluate_(std::move(evaluate)) {}

  // begin_flow.cc
  protocol::FlowPlan begin(activity::Context& ctx, const protocol::FlowInput& in);
  // flow_activities.cc
  void step(activity::Context& ctx, const protocol::FlowStepInput& in);
  Payload finish(activity::Context& ctx, const protocol::FlowFinishInput& in);
  // blocks_activity.cc
  protocol::FlowBlocksResult blocks(activity::Context& ctx, const protocol::FlowBlocksInput& in);
  // each.cc
  protocol::FlowEachBegun each_begin(activity::Context& ctx, const protocol::FlowEachInput& in);
  protocol::FlowPartResult each_part(activity::Context& ctx, const protocol::FlowEachInput& in);
  protocol::FlowBlocksResult each_end(activity::Context& ctx, const protocol::FlowEachInput& in);
  // take_up.cc
  protocol::FlowTakenUp take_up(activity::Context& ctx, const protocol::FlowTakeUpInput& in);
  // completed_outside.cc
  protocol::FlowBlocksResult completed(activity::Context& ctx, const protocol::FlowCompletedInput& in);
  // workflow_calls.cc: before and behind a call that the workflow makes.
  protocol::FlowCall call(activity::Context& ctx, const protocol::FlowStepInput& in);
  protocol::FlowBlocksResult called(activity::Context& ctx, const protocol::FlowCalledInput& in);

 private:
  using ProgramPtr = std::shared_ptr<const Program>;
  struct OneActivity;
  // A run that another one takes up.
  struct Origin {
    std::string run;
    std::string version;
  };

  // Of the run of an item: the body.
  ProgramPtr program(const std::string& flow, const std::string& version,
                     const std::optional<protocol::FlowItem>& item = std::nullopt);
  ProgramPtr whole_program(const std::string& flow, const std::string& version);
  BlockBooks books(activity::Context& ctx, const Program& program);

  // blocks_activity.cc
  OneActivity open(activity::Context& ctx, const Program& program, const std::string& version,
                   const std::vector<protocol::FlowEnded>& ended,
                   const std::vector<protocol::FlowOrigin>& begun,
                   const std::optional<protocol::FlowItem>& item = std::nullopt);
  BlockOutcome run_block(OneActivity& at, std::size_t block);
  BlockOutcome run_known_block(OneActivity& at, std::size_t block);
  Result<sandbox::Reply> evaluate(activity::Context& ctx, const Program& program,
                                  const sandbox::Request& request);
  // workflow_calls.cc
  std::expected<protocol::PlannedCall, BlockFailure> planned(OneActivity& at, std::size_t block);
  // None: tool grants let it be made.
  std::optional<BlockFailure> not_granted(OneActivity& at, std::size_t block);
  // begin_flow.cc
  std::string version_of(BlockBooks& books, const protocol::FlowInput& in);
  std::string input_of(const Program& program, const protocol::Caller& caller);
  void require_granted(BlockBooks& books, const protocol::Caller& caller);
  void record_begin(BlockBooks& books, const protocol::FlowInput& in, protocol::FlowPlan& plan,
                    const std::string& input);
  // undoable_blocks.cc
  void add_undoable(activity::Context& ctx, const Program& program, protocol::FlowPlan& plan);
  // What takes back the call of a block: that block of a version, which has `compensate`.
  struct Compensated {
    const Program& program;
    std::size_t block;
    const std::string& version;
  };
  protocol::Undoable undoable_in(BlockBooks& books, const Compensated& by, std::string_view run,
                                 std::size_t block);
  protocol::Undoable undoable_items(BlockBooks& books, const Compensated& by, const std::string& run,
                                    std::size_t block, std::vector<std::string> blocks);
  void add_items_done(BlockBooks& books, const Compensated& before, const Compensated& now,
                      const std::string& run, std::vector<protocol::Undoable>& out);
  std::uint64_t items_begun(BlockBooks& books, const Compensated& by, const std::string& run);
  void add_done(BlockBooks& books, const Compensated& by, const std::string& run, std::size_t block,
                std::vector<protocol::Undoable>& out);
  // begin_flow.cc: of a run that another one has called.
  void answer_caller(BlockBooks& books, const protocol::FlowFinishInput& in, const std::string& said);
  void record_end(BlockBooks& books, const protocol::FlowFinishInput& in);
  // item_runs.cc: items of a map, or rounds of a loop, that are runs.
  void stand_in(OneActivity& at, const protocol::FlowItem& item);
  std::string value_of_item(OneActivity& around, std::size_t block, std::uint64_t index);
  void tell_item(BlockBooks& books, const protocol::Caller& caller, const protocol::FlowItem& item);
  // What people see of it.
  std::string answer_item(BlockBooks& books, const protocol::FlowFinishInput& in,
                          std::optional<std::size_t> speaker);
  Part part_as_run(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun);
  void know_parts(OneActivity& at, std::size_t block, const Json& record, protocol::FlowEachBegun& out);
  // Of the run of an item: those that began it before, the last one first, as far as it can go on from them.
  std::vector<Origin> origins_of_item(activity::Context& ctx, const std::vector<std::string>& runs);
  // tool_calls.cc
  std::optional<BlockFailure> refused_call(OneActivity& at, std::size_t block);
  BlockOutcome call_tool(OneActivity& at, std::size_t block, const std::string& arguments);
  agent::ToolEnding attempt_call(OneActivity& at, std::size_t block, const Json& arguments,
                                 std::string_view written);
  agent::ToolEnding one_call(OneActivity& at, std::size_t block, const Json& arguments,
                             std::string_view written);
  void retry_later(OneActivity& at, std::size_t block, const agent::ToolEnding& ending);
  // each.cc
  std::optional<std::size_t> map_before(OneActivity& at, std::size_t block);
  std::size_t items_each(OneActivity& at, std::size_t block, std::size_t items);
  Json begin_map(OneActivity& at, std::size_t block);
  Json begin_loop(OneActivity& at, std::size_t block);
  std::vector<std::string> adoptable(OneActivity& at, std::size_t block, const Json& begun);
  std::optional<Part> adopted_part(OneActivity& at, const std::vector<std::string>& keys, std::uint32_t part);
  Part run_map_part(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun);
  struct Rounds {
    Part part;         // up to here
    std::string last;  // what the round before came to
  };
  Rounds rounds_before(OneActivity& at, std::size_t block, std::uint32_t part, const Json& begun);
  // What the next one came to; then whether that was the last.
  void add_round(OneActivity& at, std::size_t block, Rounds& rounds, BlockOutcome outcome);
  void end_rounds(OneActivity& at, std::size_t block, Rounds& rounds);
  Part run_rounds(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun);
  BlockOutcome run_round(OneActivity& at, std::size_t block, std::uint64_t index,
                         std::pair<std::string_view, std::string> about);
  BlockOutcome outcome_of_parts(OneActivity& at, const protocol::FlowEachInput& in);
  // take_up.cc
  bool copy_ended(BlockBooks& books, const std::string& from, const Program& before, std::size_t place,
                  std::size_t block, protocol::FlowTakenUp& out);
  std::vector<Origin> origins_of(std::string from);
  void copy_parts(BlockBooks& books, const std::string& from, std::size_t block, std::size_t count);
  // completed_outside.cc
  std::string completion_id(OneActivity& at, std::size_t block) const;
  bool is_completed(OneActivity& at, std::size_t block);
  BlockOutcome handed_out(OneActivity& at, std::size_t block, BlockOutcome outcome);
  void give_token(OneActivity& at, std::size_t block, agent::ToolContext& context);

  const agent::Deps deps_;
  const Evaluate evaluate_;
  std::mutex mutex_;
  std::map<std::string, ProgramPtr> programs_;  // by version; guarded by mutex_
};

}  // namespace holdfast::flows
