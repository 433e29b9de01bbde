// Goal: what is in histories stays readable, byte for byte, and what nobody knows is told instead of guessed.
// Method: JSON as it was written once, through the types and back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "holdfast/payload.h"
#include "protocol/activities.h"
#include "protocol/approved_call.h"
#include "protocol/decision.h"
#include "protocol/policy.h"
#include "protocol/run.h"
#include "protocol/steering.h"
#include "protocol/undo.h"

namespace holdfast::protocol {
namespace {

using ::testing::HasSubstr;

TEST(Person, IsOneByAnyLink) {
  EXPECT_EQ(person_of("bob"), "bob");
  EXPECT_EQ(person_of("link:bob"), "bob");
  EXPECT_EQ(person_of("link:bob/slack:U0123"), "bob");
  EXPECT_EQ(person_of("link:"), "");
  EXPECT_EQ(person_of("local/bob"), "local/bob");
}

constexpr std::string_view kHead = R"({"branch":1,"conversation":"c","sequence":4,"sha256":"ab"})";

// `#` stands for kHead, `@` for a call.
std::string expanded(std::string_view pattern) {
  std::string out;
  for (char c : pattern) {
    if (c == '#') {
      out += kHead;
    } else if (c == '@') {
      out += R"({"approval":"ap-1","id":"call_1","key":"k","message":)" + std::string(kHead) +
             R"(,"ordinal":2,"step":3,"tool":"refund"})";
    } else {
      out += c;
    }
  }
  return out;
}

template <typename T>
void expect_kept(std::string_view pattern) {
  const std::string text = expanded(pattern);
  EXPECT_EQ(Json(Json::parse(text).get<T>()).dump(), text);
}

template <typename T>
std::string error_of(std::string_view text) {
  try {
    (void)from_payload<T>(json_to_payload(Json::parse(text)));
  } catch (const PayloadError& error) {
    return error.what();
  }
  return "";
}

TEST(Protocol, EveryTypeReadsBackWhatItWrote) {
  RunInput in;
  in.agent = "refund";
  in.input = "hello";
  in.caller.emplace();
  in.caller->call.message.sha256 = "ab";
  in.caller->depth = 2;
  in.progress.emplace();
  in.progress->plan.max_iterations = 7;
  in.progress->answers.emplace_back().text = "t";
  Json first = in;
  EXPECT_EQ(Json(first.get<RunInput>()), first);
  EXPECT_EQ(Json(Json({{"agent", "a"}}).get<RunInput>()), Json({{"agent", "a"}}));
}

TEST(Protocol, RecordedBytesStayAsTheyAre) {
  expect_kept<RunInput>(
      R"({"agent":"a","caller":{"agent":"p","call":@,"depth":2,"run":"r","version":"v"},"conversation":"c","input":{"x":1},"progress":{"answers":[{"id":"call_1","key":"k","ordinal":1,"source":"effect"},{"id":"call_2","source":"error","step":3,"text":"no"}],"deadline_ms":9,"head":#,"iteration":2,"plan":{"agent":"a","flags":1,"max_iterations":25,"max_parallel_tools":8,"model_retry":{"attempts":5},"model_timeout_ms":60000,"run_timeout_ms":5,"version":"v"},"step":5,"usage":{"input_tokens":3,"output_tokens":4}},"version":"v"})");
  expect_kept<RunResult>(
      R"({"iterations":3,"max_iterations_reached":true,"output":"done","usage":{"input_tokens":3}})");
  expect_kept<BeginInput>(R"({"run":{"agent":"a"}})");
  expect_kept<ModelInput>(
      R"({"agent":"a","answers":[{"id":"call_1","key":"tool:k","source":"step"}],"head":#,"iteration":1,"step":1,"version":"v"})");
  expect_kept<ModelTurn>(
      R"({"calls":[{"approve_on_expiry":true,"arguments_sha256":"ab","call":@,"expires_after_ms":1000,"kind":"sql","reason":"over the limit","retry":{"attempts":3},"sub_agent":"s","timeout_ms":30000,"verdict":"ask"},{"call":@,"verdict":"invalid"},{"call":@,"kind":"http","verdict":"deny"},{"call":@,"kind":"agent","verdict":"allow"}],"head":#,"stop":"tool_calls","usage":{"output_tokens":1}})");
  expect_kept<ModelInput>(
      R"({"agent":"a","head":#,"iteration":1,"mending":"may_be_told","role":"reviewer","step":1,"version":"v"})");
  expect_kept<ModelTurn>(R"({"head":#,"usage":{}})");
  expect_kept<ModelTurn>(R"({"head":#,"mend":true,"stop":"end","usage":{}})");
  expect_kept<ModelTurn>(
      R"({"calls":[{"call":@,"input":{"duration_ms":5},"kind":"wait","verdict":"allow"}],"head":#,"usage":{}})");
  expect_kept<StepInput>(R"({"call":@,"details":{"until":"2026"},"kind":"wait","text":"{}"})");
  expect_kept<ToolInput>(R"({"agent":"a","call":@,"version":"v"})");
  expect_kept<ApprovedCall>(
      R"({"settles":{"agent":"a","call":@,"decided_at_ms":1,"decided_by":"ada","id":"ap-1","outcome":"approved","version":"v"},"tool":{"agent":"a","call":@,"version":"v"}})");
  expect_kept<ToolResult>(R"({"key":"k","source":"effect","status":"done"})");
  expect_kept<ToolResult>(R"({"key":"tool:k","source":"step","status":"failed"})");
  expect_kept<ToolResult>(R"({"note":"interrupted","status":"unknown"})");
  expect_kept<ToolResult>(R"({"approved":false,"key":"tool:k","source":"step","status":"done"})");
  expect_kept<ToolResult>(R"({"key":"tool:k","planned_steps":3,"source":"step","status":"done"})");
  expect_kept<ToolsInput>(R"({"agent":"a","calls":[@,@],"version":"v"})");
  expect_kept<ToolsResult>(R"({"results":[{"key":"k","source":"effect","status":"done"}]})");
  expect_kept<JoinInput>(
      R"({"agent":"a","call":@,"first":true,"kind":"agents","members":[{"agent":"b","end":"completed","key":"k-1","step":4},{"agent":"c","end":"canceled","error":"late","key":"k-2","step":5}],"version":"v","winner":1})");
  expect_kept<Planning>(
      R"({"approved":false,"at":1,"carried_out":2,"proposed":@,"rejections":1,"stage":"executor","steps":3,"told":true})");
  expect_kept<Planning>(R"({"stage":"planner"})");
  expect_kept<ApprovalInput>(
      R"({"agent":"a","arguments_sha256":"ab","call":@,"expires_at_ms":1,"id":"ap-1","reason":"r","version":"v"})");
  expect_kept<SettleInput>(
      R"({"agent":"a","call":@,"comment":"c","decided_at_ms":1,"decided_by":"ada","edited_arguments":"{}","id":"ap-1","outcome":"edited","version":"v"})");
  expect_kept<Settled>(R"({"arguments_sha256":"ab","key":"k","reason":"r","verdict":"allow"})");
  expect_kept<Settled>("{}");
  expect_kept<FinishInput>(
      R"({"agent":"a","error":"e","error_type":"T","head":#,"iterations":2,"status":"max_iterations","usage":{}})");
  expect_kept<Decision>(
      R"({"approval":"ap-1","arguments_sha256":"ab","comment":"c","decided_by":"ada","decision":"edit","edited_arguments":{"x":1}})");
  expect_kept<Decision>(R"({"approval":"ap-1","decision":"perhaps"})");
}

TEST(Protocol, RecordedSteeringStaysAsItIs) {
  expect_kept<SentMessage>(R"({"by":"ada","id":"m1","key":"message:k"})");
  expect_kept<MessageText>(R"({"by":"ada","text":"hello"})");
  expect_kept<Hold>(R"({"by":"ada","kind":"paused","reason":"lunch","since_ms":5})");
  expect_kept<Hold>(R"({"detail":"no key","kind":"parked","reason":"AuthError","since_ms":5,"step":3})");
  expect_kept<PauseRequest>(R"({"by":"ada","reason":"lunch"})");
  expect_kept<ResumeRequest>(R"({"by":"ada","version":"v"})");
  expect_kept<GiveUpRequest>(R"({"by":"ada","reason":"late"})");
  expect_kept<Undoable>(R"({"agent":"a","call":@,"retry":{"attempts":3},"timeout_ms":5,"version":"v"})");
  expect_kept<Undoable>(
      R"({"agent":"a","call":@,"items":{"are_runs":true,"blocks":["pay"],"count":9,"of":"each","only":[3],"run":"r"},"version":"v"})");
  expect_kept<EffectInput>(R"({"agent":"a","call":@,"step":4,"version":"v"})");
  expect_kept<UndoResult>(R"({"note":"why","status":"failed"})");
  expect_kept<UndoTryInput>(R"({"again":1,"agent":"a","ask":true,"call":@,"step":3,"version":"v"})");
  expect_kept<UndoTryInput>(R"({"agent":"a","call":@,"item":0,"step":3,"version":"v"})");
  expect_kept<UndoItemsInput>(
      R"({"before":5,"calls":{"agent":"a","call":@,"version":"v"},"told":2,"tries_again":true})");
  expect_kept<UndoItemsResult>(
      R"({"next":4,"open":{"again":1,"call":{"agent":"a","call":@,"version":"v"},"item":7},"stand":1,"undone":3,"words":["w"]})");
  expect_kept<UndoTryResult>(R"({"arguments_sha256":"h","ask_after_ms":1,"note":"why","status":"unknown"})");
  expect_kept<UndoInput>(R"({"agent":"a","version":"v"})");
  expect_kept<UndoBegun>(
      R"({"again":[1],"decision_key":"k","effects":[{"agent":"a","call":@,"version":"v"}],"origin":"r"})");
  expect_kept<UndoFinishInput>(R"({"not_undone":["pay"],"output":"o","status":"failed","undone":["book"]})");
  expect_kept<HoldInput>(
      R"({"agent":"a","by":"ben","hold":{"kind":"paused"},"released":true,"version":"v"})");
  expect_kept<PlanInput>(R"({"agent":"a","version":"v"})");
  expect_kept<Plan>(
      R"({"agent":"a","flags":1,"max_parallel_tools":8,"park_on_failure":true,"steering":"interrupt","stop_on_reject":true,"version":"v"})");
  expect_kept<FinishInput>(
      R"({"agent":"a","head":#,"held":true,"messages":[{"id":"m1","key":"k"}],"not_undone":["pay"],"status":"failed","usage":{}})");
}

template <typename E>
void expect_words(std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) {
    EXPECT_EQ(to_string(Json(word).get<E>()), word);
    EXPECT_EQ(Json(Json(word).get<E>()), Json(word));
  }
}

TEST(Protocol, WordsAreThoseOfTheFormat) {
  expect_words<AnswerSource>({"step", "effect", "error"});
  expect_words<Verdict>({"allow", "ask", "deny", "invalid", "judge"});
  expect_words<StopReason>({"end", "tool_calls", "max_tokens", "stop_sequence", "other", "paused"});
  expect_words<Mending>({"may_be_told", "was_told"});
  expect_words<ToolStatus>({"done", "failed", "unknown"});
  expect_words<ApprovalOutcome>({"approved", "rejected", "edited", "expired", "answered"});
  expect_words<RunEnd>({"completed", "max_iterations", "failed", "canceled"});
  expect_words<SteeringPolicy>({"queue", "interrupt", "reject"});
  expect_words<HoldKind>({"paused", "parked"});
  expect_words<UndoStatus>({"undone", "nothing", "failed", "unknown"});
  expect_words<DecisionKind>({"approve", "reject", "edit", "answer"});
}

TEST(Protocol, AnUnknownWordIsToldAndNeverADefault) {
  EXPECT_EQ(error_of<PlannedCall>(R"({"verdict":"maybe"})"),
            "`maybe` is no verdict that this version knows (one of allow, ask, deny, invalid, judge)");
  EXPECT_THAT(error_of<PlannedCall>(R"({"verdict":7})"), HasSubstr("`number` is no verdict"));
  EXPECT_EQ(error_of<PlannedCall>(R"({"kind":"sql"})"), "`verdict` is missing");
  EXPECT_THAT(error_of<ToolResult>(R"({"status":"half"})"), HasSubstr("`half` is no status of a call"));
  EXPECT_THAT(error_of<ToolResult>(R"({"status":"done","source":"air"})"),
              HasSubstr("`air` is no source of an answer"));
  EXPECT_THAT(error_of<FinishInput>(R"({"status":"gone"})"), HasSubstr("`gone` is no end of a run"));
  EXPECT_THAT(error_of<ModelTurn>(R"({"stop":"bored"})"), HasSubstr("`bored` is no reason to stop"));
  EXPECT_THAT(error_of<SettleInput>(R"({"outcome":"lost"})"),
              HasSubstr("`lost` is no outcome of an approval"));
  EXPECT_EQ(Json::parse(R"({"decision":"perhaps"})").get<Decision>().decision, std::nullopt);
}

TEST(IdempotencyKey, DependsOnEveryPartAndNeverChanges) {
  ConversationRef message;
  message.conversation = "c";
  message.sequence = 4;
  const std::string key = idempotency_key("default", message, 0, "refund", "{\"amount\":1}");
  EXPECT_EQ(key, idempotency_key("default", message, 0, "refund", "{\"amount\":1}"));
  EXPECT_NE(key, idempotency_key("default", message, 1, "refund", "{\"amount\":1}"));
  EXPECT_NE(key, idempotency_key("default", message, 0, "refund", "{\"amount\":2}"));
  EXPECT_NE(key, idempotency_key("other", message, 0, "refund", "{\"amount\":1}"));
  message.branch = 1;
  EXPECT_NE(key, idempotency_key("default", message, 0, "refund", "{\"amount\":1}"));
}

}  // namespace
}  // namespace holdfast::protocol
