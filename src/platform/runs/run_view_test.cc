// What a run looks like while it works: text of a retried model call is never doubled, a completed step shows
// its result, a log that was read twice changes nothing.

#include "runs/run_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace holdfast::runs {
namespace {

using Json = nlohmann::json;

platform::Event event(std::string type, const Json& data) {
  platform::Event out;
  out.run = "r";
  out.type = std::move(type);
  out.data = data.dump();
  return out;
}
platform::Event delta(int attempt, int offset, std::string text) {
  return event("delta", {{"step", "1"}, {"attempt", attempt}, {"offset", offset}, {"text", std::move(text)}});
}

TEST(RunView, FoldsStepsInOrder) {
  RunView view;
  view.apply(event("step.started", {{"step", 1}, {"kind", "model"}, {"name", "m"}, {"attempt", 1}}));
  view.apply(event("step.completed", {{"step", 1}, {"kind", "model"}, {"text", "I look it up."}}));
  view.apply(event("step.started", {{"step", 2}, {"kind", "sql"}, {"name", "find"}, {"arguments", "{}"}}));
  view.apply(event("step.retrying", {{"step", 2}, {"attempt", 1}, {"error", "locked"}}));
  Json steps = Json::parse(view.steps_json());
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0]["status"], "completed");
  EXPECT_EQ(steps[0]["text"], "I look it up.");
  EXPECT_EQ(steps[1]["status"], "retrying");
  EXPECT_EQ(steps[1]["error"], "locked");
  view.apply(event("step.completed", {{"step", 2}, {"result", "row"}, {"is_error", false}}));
  EXPECT_EQ(Json::parse(view.steps_json())[1]["status"], "completed");
}

TEST(RunView, AStepThatWasOpenWhenTheRunClosedIsStopped) {
  RunView view;
  auto status = [&view](std::size_t i) { return Json::parse(view.steps_json())[i]["status"]; };
  view.apply(event("step.started", {{"step", 1}, {"kind", "model"}}));
  view.apply(event("step.completed", {{"step", 1}, {"kind", "model"}}));
  view.apply(event("step.started", {{"step", 2}, {"kind", "sql"}}));
  view.apply(event("step.retrying", {{"step", 2}, {"error", "locked"}}));
  view.apply(event("run.closed", {{"status", "terminated"}}));
  EXPECT_EQ(status(0), "completed");
  EXPECT_EQ(status(1), "stopped");
  EXPECT_TRUE(Json::parse(view.steps_json())[1].contains("ended_at"));
  // A worker that had not heard of it yet.
  view.apply(event("step.started", {{"step", 2}, {"kind", "sql"}}));
  EXPECT_EQ(status(1), "stopped");
  view.apply(event("step.completed", {{"step", 2}, {"result", "row"}}));
  EXPECT_EQ(status(1), "completed");
}

TEST(RunView, ANewAttemptReplacesTheText) {
  RunView view;
  view.apply(delta(1, 0, "Hello "));
  view.apply(delta(1, 6, "wor"));
  EXPECT_EQ(view.partial_output(), "Hello wor");
  view.apply(event("delta", {{"step", "1"}, {"attempt", 2}, {"reset", true}}));
  EXPECT_EQ(view.partial_output(), "");
  view.apply(delta(1, 9, "late"));
  view.apply(delta(2, 0, "Hello world"));
  EXPECT_EQ(view.partial_output(), "Hello world");
}

TEST(RunView, TextThatWasSeenBeforeIsNotDoubled) {
  RunView view;
  view.apply(delta(1, 0, "Hello "));
  view.apply(delta(1, 0, "Hello "));
  view.apply(delta(1, 6, "world"));
  EXPECT_EQ(view.partial_output(), "Hello world");
}

TEST(RunView, NonsenseIsIgnored) {
  RunView view;
  platform::Event broken = event("step.started", {});
  broken.data = "{";
  view.apply(broken);
  view.apply(event("step.completed", {{"no", "step"}}));
  EXPECT_EQ(view.steps_json(), "[]");
}

}  // namespace
}  // namespace holdfast::runs
