// Goal: an agent that plans does each step once, whatever becomes of its plans: a rejection goes to the
// planner and to nobody else. Method: whole runs with a model per role, against a receiver that counts; the
// script refuses what a role must not be told or offered.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A model for each role, by its name.
std::string roles(Platform& p) {
  std::string out = "  models:\n";
  for (const char* role : {"planner", "reviewer", "executor"})
    out += std::string("    ") + role + ": {provider: openai, base_url: " + p.scripted->base_url() +
           ", name: " + role + "}\n";
  return out;
}

std::vector<std::string> stages(Platform& p, const std::string& run) {
  std::vector<std::string> out;
  for (const platform::Event& event : p.events(run)) {
    if (event.type != "plan.stage") continue;
    const Json data = Json::parse(event.data);
    std::string line = data["stage"];
    if (data.contains("plan_step")) line += " " + std::to_string(data["plan_step"].get<int>());
    out.push_back(line);
  }
  return out;
}

constexpr const char* kTwoSteps = R"(
replies:
  - when: {model: planner, last: "Make a plan before"}
    expect: {tools: [make_plan]}
    tool_calls: [{name: make_plan, arguments: {steps: [Note the first, Note the second]}}]
  - when: {model: planner, last: "Every step of the plan was carried out"}
    text: Both are noted.
  - when: {model: executor, last: "Carry out step ([12]) of 2"}
    expect: {tools: [lookup, refund, note, revise_plan]}
    tool_calls: [{name: note, arguments: {text: "step {{last.1}}"}}]
  - when: {model: executor, last: "^ok$"}
    text: Noted it.
)";

TEST(Plan, IsMadeAndItsStepsAreCarriedOut) {
  Platform p(kTwoSteps);
  p.deploy("plans", roles(p) + "  mode: plan");
  auto run = p.start("plans", "Note both");
  EXPECT_EQ(p.finish(run).output, "Both are noted.");
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"text":"step 1"})", R"({"text":"step 2"})"));
  EXPECT_THAT(stages(p, run.workflow_id()), ElementsAre("planner", "executor 1", "executor 2", "planner"));
  const auto said = p.conversation(run.workflow_id());
  EXPECT_THAT(said, Contains("tool: A plan of 2 steps."));
  EXPECT_THAT(said, Contains(HasSubstr("Note the second")));
}

// A request that needs no steps is answered.
TEST(Plan, NoneIsMadeWhereNothingIsToBeDone) {
  Platform p(R"(
replies:
  - when: {model: planner}
    text: Nothing to do.
)");
  p.deploy("idle", roles(p) + "  mode: plan");
  EXPECT_EQ(p.finish(p.start("idle", "Anything?")).output, "Nothing to do.");
}

// The roles' tools are theirs alone, whatever a model calls.
TEST(Plan, ThePlannerCannotAct) {
  Platform p(R"(
replies:
  - when: {model: planner, last: "Make a plan before"}
    tool_calls: [{name: note, arguments: {text: early}}, {name: lookup, arguments: {order_id: 7}}]
  - when: {model: planner}
    text: "{{last}}"
)");
  p.deploy("bounded", roles(p) + "  mode: plan\n  plan: {planner: {tools: [lookup], prompt: You plan.}}");
  auto run = p.start("bounded", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("Ada"));
  EXPECT_THAT(p.conversation(run.workflow_id()), Contains("tool: Error: `note` is not for the planner"));
  EXPECT_EQ(p.receiver->deliveries(), 0);
}

// The reviewer sends the first plan back; what the planner made then is carried out, once.
TEST(Plan, ARejectionGoesBackToThePlannerAlone) {
  Platform p(R"(
replies:
  - when: {model: planner, last: "Make a plan before"}
    tool_calls: [{name: make_plan, arguments: {steps: [Note it twice]}}]
  - when: {model: planner, last: "The plan was sent back"}
    expect: {new: ["once is enough"]}
    tool_calls: [{name: make_plan, arguments: {steps: [Note it once]}}]
  - when: {model: planner}
    text: Noted once.
  - when: {model: reviewer, last: "You review the plan", turn: 1}
    expect: {tools: [review_plan]}
    tool_calls: [{name: review_plan, arguments: {verdict: reject, comment: once is enough}}]
  - when: {model: reviewer, last: "You review the plan"}
    tool_calls: [{name: review_plan, arguments: {verdict: approve}}]
  - when: {model: executor, last: "Carry out step 1 of 1"}
    tool_calls: [{name: note, arguments: {text: it}}]
  - when: {model: executor}
    text: Done.
)");
  p.deploy("reviewed",
           roles(p) + "  mode: plan\n  plan: {reviewer: {prompt: You doubt.}, max_rejections: 2}");
  auto run = p.start("reviewed", "Note it");
  EXPECT_EQ(p.finish(run).output, "Noted once.");
  EXPECT_EQ(p.receiver->deliveries(), 1);
  EXPECT_THAT(stages(p, run.workflow_id()),
              ElementsAre("planner", "reviewer", "planner", "reviewer", "executor 1", "planner"));
}

// What was carried out stays so when a later plan is rejected: its steps alone are made anew.
TEST(Plan, WhatWasCarriedOutIsNotDoneAgain) {
  Platform p(R"(
replies:
  - when: {model: planner, last: "Make a plan before"}
    tool_calls: [{name: make_plan, arguments: {steps: [Note A]}}]
  - when: {model: planner, last: "Every step of the plan", turn: 4}
    tool_calls: [{name: make_plan, arguments: {steps: [Note A and B]}}]
  - when: {model: planner, last: "The plan was sent back"}
    tool_calls: [{name: make_plan, arguments: {steps: [Note B]}}]
  - when: {model: planner}
    text: A and B.
  - when: {model: reviewer, turn: 5}
    tool_calls: [{name: review_plan, arguments: {verdict: reject, comment: A is noted already}}]
  - when: {model: reviewer}
    tool_calls: [{name: review_plan, arguments: {verdict: approve}}]
  - when: {model: executor, last: "Note ([AB])$"}
    tool_calls: [{name: note, arguments: {text: "{{last.1}}"}}]
  - when: {model: executor}
    text: Done.
)");
  p.deploy("goes-on", roles(p) + "  mode: plan\n  plan: {reviewer: {}}");
  auto run = p.start("goes-on", "Note A and B");
  EXPECT_EQ(p.finish(run).output, "A and B.");
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"text":"A"})", R"({"text":"B"})"));
  EXPECT_THAT(stages(p, run.workflow_id()),
              ElementsAre("planner", "reviewer", "executor 1", "planner", "reviewer", "planner", "reviewer",
                          "executor 1", "planner"));
}

// A step that cannot be carried out sends the plan back; the steps behind it are not begun.
TEST(Plan, TheExecutorMayGiveItBack) {
  Platform p(R"(
replies:
  - when: {model: planner, last: "Make a plan before"}
    tool_calls: [{name: make_plan, arguments: {steps: [Note A, Find the door, Note B]}}]
  - when: {model: planner, last: "The plan was sent back"}
    expect: {new: ["there is no door"]}
    tool_calls: [{name: make_plan, arguments: {steps: [Note C]}}]
  - when: {model: planner}
    text: A and C.
  - when: {model: executor, last: "Note ([A-C])$"}
    tool_calls: [{name: note, arguments: {text: "{{last.1}}"}}]
  - when: {model: executor, last: "Find the door$"}
    tool_calls: [{name: revise_plan, arguments: {reason: there is no door}}]
  - when: {model: executor}
    text: Done.
)");
  p.deploy("given-back", roles(p) + "  mode: plan");
  auto run = p.start("given-back", "go");
  EXPECT_EQ(p.finish(run).output, "A and C.");
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"text":"A"})", R"({"text":"C"})"));
  EXPECT_THAT(stages(p, run.workflow_id()),
              ElementsAre("planner", "executor 1", "executor 2", "planner", "executor 1", "planner"));
}

TEST(Plan, AReviewerThatLetsNonePassEndsTheRunByItsName) {
  Platform p(R"(
replies:
  - when: {model: planner}
    tool_calls: [{name: make_plan, arguments: {steps: [Note it]}}]
  - when: {model: reviewer}
    tool_calls: [{name: review_plan, arguments: {verdict: reject, comment: never}}]
)");
  p.deploy("refused", roles(p) + "  mode: plan\n  plan: {reviewer: {}, max_rejections: 1}");
  auto run = p.start("refused", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(result->error())->type(), "PlanRejectedError");
  EXPECT_EQ(p.receiver->deliveries(), 0);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.failed"), 1);
}

// A person reviews the plan like any call: no is for the planner, an edited plan is what is carried out.
TEST(Plan, APersonMaySendItBackOrChangeIt) {
  Platform p(R"(
replies:
  - when: {model: planner, last: "Make a plan before"}
    tool_calls: [{name: make_plan, arguments: {steps: [Note everything]}}]
  - when: {model: planner, last: "too much"}
    tool_calls: [{name: make_plan, arguments: {steps: [Note a, Note b]}}]
  - when: {model: planner}
    text: Noted.
  - when: {model: executor, last: "Note ([a-z])$"}
    tool_calls: [{name: note, arguments: {text: "{{last.1}}"}}]
  - when: {model: executor}
    text: Done.
)");
  p.deploy("asked", roles(p) + "  mode: plan\n  approvals: {rules: [{tool: make_plan, action: ask}]}");
  auto run = p.start("asked", "go");
  Json first = p.wait_for_approval(run);
  EXPECT_EQ(first["tool"], "make_plan");
  Json reject = {{"approval", first["approval"]},
                 {"decision", "reject"},
                 {"decided_by", "ada"},
                 {"comment", "too much"}};
  ASSERT_TRUE(p.decide(run, reject)->ok());
  Json second = p.wait_for_approval(run, first["approval"]);
  Json edit = {{"approval", second["approval"]},
               {"decision", "edit"},
               {"decided_by", "ada"},
               {"edited_arguments", {{"steps", {"Note b"}}}}};
  ASSERT_TRUE(p.decide(run, edit)->ok());
  EXPECT_EQ(p.finish(run).output, "Noted.");
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"text":"b"})"));
}

// Workers are replaced in the middle of the second step.
TEST(Plan, GoesOnInItsStepWithOtherWorkers) {
  Platform p(kTwoSteps);
  p.deploy("moved-plan", roles(p) + "  mode: plan\n  tool_calls: one_activity");
  std::atomic<bool> open = false;
  p.receiver->answer = [&open](int nth) {
    return std::pair<int, std::string>(nth > 1 && !open ? 503 : 200, "ok");
  };
  auto run = p.start("moved-plan", "Note both");
  ASSERT_TRUE(eventually([&] { return p.receiver->deliveries() >= 2; }));
  const Json plan = p.status(run)["plan"];
  EXPECT_EQ(plan["stage"], "executor");
  EXPECT_EQ(plan["step"], 1);
  EXPECT_EQ(plan["steps"], 2);
  p.stop_workers();
  open = true;
  p.start_workers();
  EXPECT_EQ(p.finish(run).output, "Both are noted.");
  EXPECT_EQ(p.receiver->effects(), 2);
  EXPECT_THAT(stages(p, run.workflow_id()), ElementsAre("planner", "executor 1", "executor 2", "planner"));
}

// The form of the answer is asked of the last word alone.
TEST(Plan, OnlyTheLastWordHasTheFormOfTheAnswer) {
  Platform p(R"(
replies:
  - when: {model: planner, last: "Make a plan before"}
    tool_calls: [{name: make_plan, arguments: {steps: [Look]}}]
  - when: {model: planner, last: "Every step"}
    text: '{"found": true}'
  - when: {model: executor}
    text: I looked.
)");
  p.deploy("formed",
           roles(p) +
               "  mode: plan\n  output_schema: {type: object, properties: {found: {type: boolean}}, "
               "required: [found]}");
  EXPECT_EQ(p.finish(p.start("formed", "go")).output, R"({"found": true})");
}

}  // namespace
}  // namespace holdfast::e2e
