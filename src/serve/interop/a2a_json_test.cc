// What A2A's messages say and tasks tell: each part is taken or named as one that is not, and a task that is
// over has one time, whoever asks for it.

#include "interop/a2a_json.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "protocol/human_question.h"

namespace holdfast::interop {
namespace {

A2aSaid said(const std::string& parts) {
  return said_in(Json::parse(R"({"parts":)" + parts + "}"));
}

TEST(A2aMessage, NoPartIsPassedOver) {
  EXPECT_EQ(said(R"([{"text":"a"},{"text":"b"}])").text, "a\nb");
  EXPECT_TRUE(said(R"([{"text":"a"},{"data":{"decision":"approve"}}])").understood);
  EXPECT_FALSE(said(R"([{"data":{"decision":"reject"}},{"data":{"decision":"approve"}}])").understood)
      << "which of the two counts?";
  EXPECT_FALSE(said(R"([{"text":5}])").understood);
  EXPECT_FALSE(said(R"([{"url":"https://example.com/x.png"}])").understood);
  EXPECT_FALSE(said(R"(["a"])").understood);
}

TEST(A2aTask, WhatIsOverEndedAtItsTime) {
  const WallTime ended{std::chrono::seconds(1'700'000'000)};
  const WallTime later = ended + std::chrono::hours(1);
  A2aTask task;
  task.id = "t";
  task.state = TaskState::kCompleted;
  const A2aWords words(A2aVersion::k10);
  EXPECT_EQ(words.status(task, later)["timestamp"], "2023-11-14T23:13:20.000Z")
      << "nobody knows: it is so now";
  task.ended_at = ended;
  EXPECT_EQ(words.status(task, later)["timestamp"], "2023-11-14T22:13:20.000Z");
}

TEST(A2aTask, AQuestionIsAskedWithItsFormUnlessThatWantsAFile) {
  A2aTask task;
  task.id = "t";
  task.state = TaskState::kInputRequired;
  task.page = "https://h.test/runs/t";
  protocol::HumanQuestion question;
  question.text = "Which one?";
  for (const char* field : {R"({"type":"string"})", R"({"type":"object","format":"file"})"}) {
    question.form =
        nlohmann::json::parse(R"({"type":"object","properties":{"one":)" + std::string(field) + "}}");
    platform::Approval approval;
    approval.id = field;
    approval.question = dump_json(nlohmann::json(question));
    task.approvals.push_back(approval);
  }
  const Json parts = A2aWords(A2aVersion::k10).status(task, WallTime{})["message"]["parts"];
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0]["text"], "Which one?\nWhich one?");
  EXPECT_EQ(parts[1]["data"]["schema"]["properties"]["one"]["type"], "string");
  EXPECT_FALSE(parts[1]["data"].contains("page"));
  EXPECT_EQ(parts[2]["data"]["page"], task.page);
  EXPECT_FALSE(parts[2]["data"].contains("schema"));
}

}  // namespace
}  // namespace holdfast::interop
