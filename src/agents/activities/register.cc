#include "activities/register.h"

#include <memory>

#include "activities/activities.h"
#include "agent/loop.h"
#include "agent/notify.h"
#include "agent/schedule.h"
#include "agent/undo_run.h"
#include "protocol/pure_tool.h"

namespace holdfast::agent {

namespace {

void register_policy(const Workers& workers, const std::shared_ptr<Activities>& activities) {
  workers.agents->register_activity(kJudgeActivity, [activities](activity::Context& ctx, JudgeInput in) {
    return activities->judge(ctx, in);
  });
  workers.agents->register_activity(
      kNoteApprovalActivity,
      [activities](activity::Context& ctx, ApprovalNote in) { activities->note_approval(ctx, in); });
}

void register_undo(const Workers& workers, const std::shared_ptr<Activities>& activities) {
  workers.tools->register_activity(kUndoActivity, [activities](activity::Context& ctx, UndoTryInput in) {
    return activities->undo(ctx, in);
  });
  workers.tools->register_activity(
      kUndoItemsActivity,
      [activities](activity::Context& ctx, UndoItemsInput in) { return activities->undo_items(ctx, in); });
  workers.agents->register_workflow(kUndoWorkflowType, undo_workflow);
  workers.agents->register_activity(kUndoBeginActivity, [activities](activity::Context& ctx, UndoInput in) {
    return activities->begin_undo(ctx, in);
  });
  workers.agents->register_activity(
      kUndoFinishActivity,
      [activities](activity::Context& ctx, UndoFinishInput in) { activities->finish_undo(ctx, in); });
}

void register_calls(const Workers& workers, const std::shared_ptr<Activities>& activities) {
  workers.tools->register_activity(kToolsActivity, [activities](activity::Context& ctx, ToolsInput in) {
    return activities->call_tools(ctx, in);
  });
  workers.tools->register_activity(kCodeActivity, [activities](activity::Context& ctx, CodeInput in) {
    return activities->run_code(ctx, in);
  });
  workers.tools->register_activity(
      kApprovedToolActivity,
      [activities](activity::Context& ctx, ApprovedCall in) { return activities->call_approved(ctx, in); });
  for (const char* name : {kToolActivity, kPureToolActivity}) {
    workers.tools->register_activity(
        name, [activities](activity::Context& ctx, ToolInput in) { return activities->call_tool(ctx, in); });
  }
}

}  // namespace

void register_all(const Workers& workers, const Deps& deps) {
  auto activities = std::make_shared<Activities>(deps);
  workers.agents->register_workflow(kWorkflowType, agent_workflow);
  workers.agents->register_activity(kBeginActivity, [activities](activity::Context& ctx, BeginInput in) {
    return activities->begin(ctx, in);
  });
  workers.agents->register_activity(kFinishActivity, [activities](activity::Context& ctx, FinishInput in) {
    return activities->finish(ctx, in);
  });
  workers.agents->register_activity(
      kRequestApprovalActivity,
      [activities](activity::Context& ctx, ApprovalInput in) { activities->request_approval(ctx, in); });
  workers.agents->register_activity(
      kSettleApprovalActivity,
      [activities](activity::Context& ctx, SettleInput in) { return activities->settle_approval(ctx, in); });
  workers.agents->register_activity(kStepStartedActivity, [activities](activity::Context& ctx, StepInput in) {
    activities->step_started(ctx, in);
  });
  workers.agents->register_activity(
      kStepCompletedActivity,
      [activities](activity::Context& ctx, StepInput in) { activities->step_completed(ctx, in); });
  workers.agents->register_activity(
      kHoldActivity, [activities](activity::Context& ctx, HoldInput in) { activities->hold(ctx, in); });
  workers.agents->register_activity(kPlanActivity, [activities](activity::Context& ctx, PlanInput in) {
    return activities->plan(ctx, in);
  });
  workers.tools->register_activity(kReconcileActivity, [activities](activity::Context& ctx, EffectInput in) {
    return activities->reconcile(ctx, in);
  });
  register_undo(workers, activities);
  workers.agents->register_activity(kEndDetachedActivity,
                                    [activities](activity::Context& ctx, EndDetachedInput in) {
                                      return activities->end_detached(ctx, in);
                                    });
  register_policy(workers, activities);
  workers.agents->register_workflow(kScheduleType, schedule_workflow);
  workers.agents->register_activity(
      kScheduleNextActivity,
      [activities](activity::Context& ctx, NextInput in) { return activities->schedule_next(ctx, in); });
  workers.agents->register_activity(
      kScheduleFireActivity,
      [activities](activity::Context& ctx, FireInput in) { return activities->schedule_fire(ctx, in); });
  workers.agents->register_workflow(kNotifyWorkflowType, notify_workflow);
  workers.agents->register_activity(
      kNotifyTargetsActivity,
      [activities](activity::Context& ctx, NotifyInput in) { return activities->notify_targets(ctx, in); });
  workers.tools->register_activity(
      kNotifyActivity, [activities](activity::Context& ctx, NotifyInput in) { activities->notify(ctx, in); });
  workers.models->register_activity(kModelActivity, [activities](activity::Context& ctx, ModelInput in) {
    return activities->call_model(ctx, in);
  });
  workers.models->register_activity(kCompactActivity, [activities](activity::Context& ctx, CompactInput in) {
    return activities->compact(ctx, in);
  });
  workers.models->register_activity(kSingleActivity, [activities](activity::Context& ctx, BeginInput in) {
    return activities->call_once(ctx, in);
  });
  workers.agents->register_activity(
      kJoinActivity, [activities](activity::Context& ctx, JoinInput in) { activities->join(ctx, in); });
  register_calls(workers, activities);
}

}  // namespace holdfast::agent
