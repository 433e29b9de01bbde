#include "sim/clients.h"

#include <cstdio>
#include <memory>

#include "api/messages.h"
#include "sim/oracle.h"

namespace holdfast::sim {

std::string plan_input(const Plan& plan) {
  return std::to_string(plan.signals) + " " + std::to_string(plan.updates) + " " +
         std::to_string(plan.children) + " " + std::to_string(plan.chain);
}

Expected parse_input(const std::string& input) {
  Expected expected;
  if (std::sscanf(input.c_str(), "%d %d %d %d", &expected.signals, &expected.updates, &expected.children,
                  &expected.chain) != 4) {
    return {};
  }
  return expected;
}

std::vector<Plan> Clients::draw_plans() {
  SimRandom& random = world_.random();
  std::vector<Plan> plans;
  const auto count = random.between(2, 6);
  for (std::int64_t i = 0; i < count; ++i) {
    Plan plan;
    plan.workflow_id = "flow-" + std::to_string(i);
    plan.signals = static_cast<int>(random.between(0, 4));
    plan.updates = random.percent(40) ? static_cast<int>(random.between(1, 2)) : 0;
    plan.children = random.percent(25) ? 1 : 0;
    // A repeated update is a new one to the next run, and would be answered anew.
    if (plan.updates == 0 && random.percent(30)) plan.chain = static_cast<int>(random.between(1, 2));
    plan.begins = random.between(0, 10 * kSec);
    plans.push_back(plan);
  }
  return plans;
}

void Clients::begin(const std::vector<Plan>& plans) {
  for (const Plan& plan : plans) {
    world_.after(plan.begins, [this, plan] { start(plan); });
  }
}

void Clients::start(const Plan& plan) {
  auto request = std::make_shared<ws::StartWorkflowExecutionRequest>();
  request->set_namespace_(kNamespace);
  request->set_workflow_id(plan.workflow_id);
  request->mutable_workflow_type()->set_name("flow");
  request->mutable_task_queue()->set_name(kQueue);
  *request->mutable_input() = payloads_of(plan_input(plan));
  request->set_request_id("start-" + plan.workflow_id);
  request->mutable_workflow_task_timeout()->set_seconds(4);
  network_.call_until_answered(api::Method::kStartWorkflowExecution, request, [this, plan](auto result) {
    if (!result.has_value()) return;
    SimRandom& random = world_.random();
    for (int i = 0; i < plan.signals; ++i) {
      world_.after(random.between(0, 20 * kSec), [this, plan, i] { signal(plan, i); });
    }
    for (int i = 0; i < plan.updates; ++i) {
      world_.after(random.between(0, 20 * kSec), [this, plan, i] { update(plan, i); });
    }
  });
}

void Clients::signal(const Plan& plan, int number) {
  auto request = std::make_shared<ws::SignalWorkflowExecutionRequest>();
  request->set_namespace_(kNamespace);
  request->mutable_workflow_execution()->set_workflow_id(plan.workflow_id);
  request->set_signal_name("work");
  *request->mutable_input() = payloads_of("s" + std::to_string(number));
  request->set_request_id("signal-" + plan.workflow_id + "-" + std::to_string(number));
  network_.call_until_answered(api::Method::kSignalWorkflowExecution, request, [](auto) {});
}

void Clients::update(const Plan& plan, int number) {
  auto request = std::make_shared<ws::UpdateWorkflowExecutionRequest>();
  request->set_namespace_(kNamespace);
  request->mutable_workflow_execution()->set_workflow_id(plan.workflow_id);
  request->mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  const std::string id = "u" + std::to_string(number);
  request->mutable_request()->mutable_meta()->set_update_id(id);
  request->mutable_request()->mutable_input()->set_name("ask");
  *request->mutable_request()->mutable_input()->mutable_args() = payloads_of(id);
  network_.call_until_answered(
      api::Method::kUpdateWorkflowExecution, request, [this, plan, number](Result<api::MessagePtr> result) {
        if (!result.has_value()) return;
        // Answered without an outcome after the long poll's time: asked again under the same id.
        if (!static_cast<const ws::UpdateWorkflowExecutionResponse&>(**result).has_outcome())
          update(plan, number);
      });
}

}  // namespace holdfast::sim
