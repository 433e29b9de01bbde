#include "perform/register_flows.h"

#include <memory>

#include "perform/flow_activities.h"
#include "run/flow_workflow.h"

namespace holdfast::flows {

void register_flows(const agent::Workers& workers, const agent::Deps& deps, Evaluate evaluate) {
  using namespace protocol;
  auto activities = std::make_shared<FlowActivities>(deps, std::move(evaluate));
  workers.agents->register_workflow(kFlowWorkflowType, flow_workflow);
  workers.agents->register_activity(kFlowBeginActivity, [activities](activity::Context& ctx, FlowInput in) {
    return activities->begin(ctx, in);
  });
  workers.agents->register_activity(
      kFlowStepActivity,
      [activities](activity::Context& ctx, FlowStepInput in) { activities->step(ctx, in); });
  workers.agents->register_activity(
      kFlowFinishActivity,
      [activities](activity::Context& ctx, FlowFinishInput in) { return activities->finish(ctx, in); });
  workers.agents->register_activity(
      kFlowCompletedActivity,
      [activities](activity::Context& ctx, FlowCompletedInput in) { return activities->completed(ctx, in); });
  workers.tools->register_activity(
      kFlowTakeUpActivity,
      [activities](activity::Context& ctx, FlowTakeUpInput in) { return activities->take_up(ctx, in); });
  workers.tools->register_activity(
      kFlowEachBeginActivity,
      [activities](activity::Context& ctx, FlowEachInput in) { return activities->each_begin(ctx, in); });
  workers.tools->register_activity(
      kFlowEachPartActivity,
      [activities](activity::Context& ctx, FlowEachInput in) { return activities->each_part(ctx, in); });
  workers.tools->register_activity(
      kFlowEachEndActivity,
      [activities](activity::Context& ctx, FlowEachInput in) { return activities->each_end(ctx, in); });
  workers.tools->register_activity(kFlowCallActivity, [activities](activity::Context& ctx, FlowStepInput in) {
    return activities->call(ctx, in);
  });
  workers.agents->register_activity(
      kFlowCalledActivity,
      [activities](activity::Context& ctx, FlowCalledInput in) { return activities->called(ctx, in); });
  for (const char* name : {kFlowBlocksActivity, kFlowPureActivity}) {
    workers.tools->register_activity(name, [activities](activity::Context& ctx, FlowBlocksInput in) {
      return activities->blocks(ctx, in);
    });
  }
}

}  // namespace holdfast::flows
