// Goal: code is given exactly what its calls came to, and whatever the sandbox answers has one meaning, an
// enemy's answer included. Method: pasts and replies written by hand.

#include "activities/code_result.h"
#include "activities/code_pasts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

CodeAnswer answer(bool ok, std::string text) {
  CodeAnswer out;
  out.ok = ok;
  out.text = std::move(text);
  return out;
}

Json call(const std::string& tool, const std::string& arguments = "{}") {
  return {{"tool", tool}, {"arguments", arguments}};
}

sandbox::Reply replied(std::string result, std::string log = {}) {
  sandbox::Reply out;
  out.result = std::move(result);
  out.log = std::move(log);
  return out;
}

CodePast two_calls() {
  CodePast past;
  past.add(Json::array({call("find", R"({"id":1})"), call("pay")}),
           {answer(true, R"({"id":9007199254740993})"), answer(false, "[1]")});
  return past;
}

CodeEnd ended(const CodePast& past, const sandbox::Reply& reply) {
  return end_of_code(past, reply, 2);
}

TEST(CodeResult, GivesResultsAsTheyAre) {
  CodePast past = two_calls();
  past.add(Json::array({call("find")}), {answer(true, "plain \"text\"")});
  const std::string inputs = past.inputs({"find", "pay"}, 7);
  EXPECT_THAT(inputs, HasSubstr(R"("value":{"id":9007199254740993})"));
  EXPECT_THAT(inputs, HasSubstr(R"("ok":false,"value":"[1]")"));  // what went wrong is a text
  const Json read = Json::parse(inputs);
  EXPECT_EQ(read["names"], Json::parse(R"(["find","pay"])"));
  EXPECT_EQ(read["most"], 7);
  EXPECT_EQ(read["rounds"].size(), 2u);
  EXPECT_EQ(read["rounds"][0][0]["arguments"], R"({"id":1})");
  EXPECT_EQ(read["rounds"][1][0]["value"], "plain \"text\"");
  EXPECT_EQ(past.told(), "find (2), pay (1)");
}

TEST(CodeResult, AValueIsTheResult) {
  const CodePast past = two_calls();
  EXPECT_EQ(ended(past, replied(R"({"value":{"n":9007199254740993123}})")).text,
            R"({"n":9007199254740993123})");
  EXPECT_EQ(ended(past, replied(R"({"value":"as it is"})", "one\n")).text, "as it is\nconsole:\none\n");
  EXPECT_EQ(ended(past, replied(R"({"value":null})")).text, "null");
  EXPECT_EQ(ended(past, replied(R"({"value":1})")).more["calls"], 2);
}

TEST(CodeResult, CallsAreToBeMade) {
  const CodeEnd end = ended({}, replied(R"({"calls":[{"tool":"find","arguments":"{\"id\":1}"}]})"));
  EXPECT_FALSE(end.failed);
  EXPECT_EQ(end.calls.size(), 1u);
}

TEST(CodeResult, OnlySoManyAreMadeAtOnce) {
  const Json three = {{"calls", {call("find"), call("find"), call("find")}}};
  const CodeEnd end = ended({}, replied(three.dump()));
  EXPECT_EQ(end.more["failure"]["kind"], "calls_limit");
  EXPECT_THAT(end.text, HasSubstr("3 calls at once, at most 2"));
}

TEST(CodeResult, AFailureSaysWhereAndWhatStands) {
  sandbox::Reply reply = replied("", "seen\n");
  reply.log_left_out = 2;
  reply.failure = sandbox::Failure{sandbox::Fault::kThrown, "TypeError", "x is not a function", 3, 5};
  const CodeEnd end = ended(two_calls(), reply);
  EXPECT_TRUE(end.failed);
  EXPECT_EQ(
      end.text,
      "the code failed (TypeError) at 3:5: x is not a function\nThe calls that it made before stand: find "
      "(1), pay (1).\nconsole:\nseen\n(2 more lines found no room)\n");
  EXPECT_EQ(end.more["failure"], Json::parse(R"({"kind":"exception","name":"TypeError","line":3})"));
}

TEST(CodeResult, ADivergenceHasItsName) {
  const CodeEnd end = ended({}, replied(R"({"diverged":"call 1 of the code: `pay`"})"));
  EXPECT_TRUE(end.failed);
  EXPECT_THAT(end.text, HasSubstr("CodeDiverged"));
  EXPECT_EQ(end.more["failure"]["kind"], "diverged");
}

TEST(CodeResult, WhatIsNoAnswerIsAFailure) {
  for (const char* said :
       {"7", "{}", R"({"calls":[]})", R"({"calls":[{"tool":"find"}]})",
        R"({"calls":[{"tool":"find","arguments":"[]"}]})", R"({"calls":[{"tool":7,"arguments":"{}"}]})"}) {
    const CodeEnd end = ended({}, replied(said));
    EXPECT_TRUE(end.failed) << said;
    EXPECT_EQ(end.more["failure"]["kind"], "sandbox_died") << said;
    EXPECT_TRUE(end.calls.empty()) << said;
  }
  EXPECT_EQ(ended({}, replied(R"({"more":1,"value":[2]})")).text, "[2]");
}

// The next run of the code takes it, and nobody else has it then.
TEST(CodePasts, AreTakenOnce) {
  CodePasts pasts;
  pasts.keep("round", two_calls());
  EXPECT_FALSE(pasts.take("another"));
  const auto taken = pasts.take("round");
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->inputs({"find"}, 9), two_calls().inputs({"find"}, 9));
  EXPECT_FALSE(pasts.take("round"));
}

TEST(CodePasts, TheOldestGoWhenThereIsNoRoom) {
  CodePasts pasts;
  for (std::size_t i = 0; i <= CodePasts::kMaxKept; ++i) pasts.keep(std::to_string(i), two_calls());
  EXPECT_FALSE(pasts.take("0"));
  EXPECT_TRUE(pasts.take("1"));
  CodePast large;
  large.add(Json::array({call("find")}), {answer(true, std::string(CodePasts::kMaxBytes, 'x'))});
  pasts.keep("large", std::move(large));
  EXPECT_FALSE(pasts.take("large")) << "more than there is room for";
  EXPECT_FALSE(pasts.take("2"));
}

}  // namespace
}  // namespace holdfast::agent
