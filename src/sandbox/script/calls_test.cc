// Goal: code that calls tools asks for what is not known, goes on over what is, and is told when it did not
// do what it did before. Method: rounds of evaluations, as a run makes them; the tools are functions of the
// test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "script/testing.h"

namespace holdfast::sandbox {
namespace {

using Json = nlohmann::json;

struct Outcome {
  std::string told;                 // value, or failure
  std::vector<std::string> rounds;  // what each asked for
  std::string log;
};

// Gives {"ok", "value"}.
using Tool = std::function<Json(const std::string& tool, const Json& arguments)>;

Outcome follow(const std::string& code, const Tool& tool, int most = 100) {
  Outcome out;
  Json rounds = Json::array();
  for (int round = 0; round < 50; ++round) {
    const Json inputs = {{"names", {"find", "pay", "a-b"}}, {"most", most}, {"rounds", rounds}};
    const Reply reply = run({.kind = Kind::kCalls, .code = code, .inputs = inputs.dump()});
    out.told = told(reply);
    out.log = reply.log;
    if (reply.failure) return out;
    const Json result = Json::parse(reply.result);
    if (!result.contains("calls")) return out;
    Json answered = Json::array();
    std::string asked;
    for (const Json& call : result["calls"]) {
      const std::string name = call["tool"];
      const std::string arguments = call["arguments"];
      asked += (asked.empty() ? "" : " ") + name + arguments;
      Json one = tool(name, Json::parse(arguments));
      one["tool"] = name;
      one["arguments"] = arguments;
      answered.push_back(one);
    }
    out.rounds.push_back(asked);
    rounds.push_back(answered);
  }
  return out;
}

Json twice(const std::string&, const Json& arguments) {
  return {{"ok", true}, {"value", arguments.value("n", 0) * 2}};
}

TEST(Calls, CodeWithoutOneIsAScript) {
  EXPECT_EQ(follow("return 6 * 7", twice).told, R"({"value":42})");
  EXPECT_EQ(follow("const x = 1", twice).told, R"({"value":null})");
}

TEST(Calls, ALoopAsksOneByOneAndGoesOn) {
  const Outcome out = follow(
      "let sum = 0; for (const n of [1, 2, 3]) { sum += await tools.find({n}); console.log(n, sum) } return "
      "sum",
      twice);
  EXPECT_EQ(out.told, R"({"value":12})");
  EXPECT_EQ(out.rounds, (std::vector<std::string>{R"(find{"n":1})", R"(find{"n":2})", R"(find{"n":3})"}));
  EXPECT_EQ(out.log, "1 2\n2 6\n3 12\n");
}

TEST(Calls, WhatIsAwaitedTogetherIsAskedTogether) {
  const Outcome out = follow("return await Promise.all([1, 2].map(n => tools.find({n})))", twice);
  EXPECT_EQ(out.told, R"({"value":[2,4]})");
  EXPECT_EQ(out.rounds, (std::vector<std::string>{R"(find{"n":1} find{"n":2})"}));
}

// Two chains of unequal length: what is known at once must not overtake what was asked in between.
TEST(Calls, ChainsSideBySideKeepTheirOrder) {
  const Outcome out = follow(
      "const one = (async () => { await tools.find({n: 1}); await tools.find({n: 2}); return tools.find({n: "
      "3}) "
      "})();"
      "const two = (async () => { await tools.find({n: 4}); for (let i = 0; i < 9; ++i) await null; return "
      "tools.find({n: 5}) })();"
      "return [await one, await two]",
      twice);
  EXPECT_EQ(out.told, R"({"value":[6,10]})");
  EXPECT_EQ(out.rounds, (std::vector<std::string>{R"(find{"n":1} find{"n":4})", R"(find{"n":2} find{"n":5})",
                                                  R"(find{"n":3})"}));
}

TEST(Calls, AFailureIsAnErrorThatCodeMayCatch) {
  const Tool fails = [](const std::string&, const Json&) {
    return Json{{"ok", false}, {"value", "no such order"}};
  };
  EXPECT_EQ(follow("try { await tools.find({}) } catch (e) { return e.name + ': ' + e.message }", fails).told,
            R"({"value":"ToolError: no such order"})");
  EXPECT_EQ(follow("await tools.find({})", fails).told, "exception 1:12 no such order");
}

TEST(Calls, ValuesAreExactAndNamesMayHaveDashes) {
  const Tool exact = [](const std::string&, const Json& arguments) {
    return Json{{"ok", true}, {"value", arguments}};
  };
  EXPECT_EQ(follow("return await tools['a-b']({id: 9007199254740993n, s: '\\u00e4'})", exact).told,
            "{\"value\":{\"id\":9007199254740993,\"s\":\"\xC3\xA4\"}}");
}

TEST(Calls, WhatIsNotWaitedForIsMadeAllTheSame) {
  const Outcome out = follow("tools.pay({n: 1}); return 'sent'", twice);
  EXPECT_EQ(out.told, R"({"value":"sent"})");
  EXPECT_EQ(out.rounds, (std::vector<std::string>{R"(pay{"n":1})"}));
}

// Who is told that it was sent must be told that it was not.
TEST(Calls, AFailureOfWhatIsNotWaitedForFailsTheCode) {
  const Tool fails = [](const std::string&, const Json&) {
    return Json{{"ok", false}, {"value", "declined"}};
  };
  const Outcome out = follow("tools.pay({n: 1}); return 'sent'", fails);
  EXPECT_EQ(out.told.substr(0, 9), "exception");
  EXPECT_THAT(out.told, testing::HasSubstr("declined"));
  EXPECT_EQ(follow("const p = tools.pay({n: 1}); try { await p } catch (e) { return e instanceof ToolError }",
                   fails)
                .told,
            R"({"value":true})");
  EXPECT_THAT(follow("return await tools.pay({n: 1}, {n: 2})", twice).told,
              testing::HasSubstr("nothing beside it"));
}

TEST(Calls, WhatThrowsAsksForNothingMore) {
  const Outcome out = follow("tools.pay({n: 1}); throw new Error('no')", twice);
  EXPECT_EQ(out.told.substr(0, 9), "exception");
  EXPECT_TRUE(out.rounds.empty());
}

TEST(Calls, AToolThatIsNotThereAndWrongArgumentsAreSaid) {
  EXPECT_THAT(follow("return await tools.fnd({})", twice).told,
              testing::HasSubstr("there is no tool `fnd` for code; the tools are: find, pay, a-b"));
  EXPECT_THAT(follow("return await tools.find(7)", twice).told, testing::HasSubstr("one object"));
  EXPECT_THAT(follow("return await tools.find({f() {}})", twice).told,
              testing::HasSubstr("the arguments of"));
}

TEST(Calls, ThereAreOnlySoMany) {
  const Outcome out = follow("for (let n = 0; ; ++n) await tools.find({n})", twice, 3);
  EXPECT_EQ(out.rounds.size(), 3u);
  EXPECT_THAT(out.told, testing::HasSubstr("more than 3 calls"));
}

std::string over(const std::string& code, const Json& rounds) {
  const Json inputs = {{"names", {"find"}}, {"most", 9}, {"rounds", rounds}};
  return told(run({.kind = Kind::kCalls, .code = code, .inputs = inputs.dump()}));
}

TEST(Calls, OtherCallsThanBeforeAreTold) {
  const Json one = {{"tool", "find"}, {"arguments", R"({"n":1})"}, {"ok", true}, {"value", 1}};
  const Json rounds = Json::array({Json::array({one})});
  EXPECT_EQ(over("return await tools.find({n: 1})", rounds), R"({"value":1})");
  EXPECT_THAT(over("return await tools.find({n: 2})", rounds), testing::HasSubstr("{\"diverged\":"));
  EXPECT_THAT(over("try { await tools.find({n: 2}) } catch { return 1 }", rounds),
              testing::HasSubstr("{\"diverged\":"));
  EXPECT_THAT(over("tools.find({n: 1}); return await tools.find({n: 1})", rounds),
              testing::HasSubstr("{\"diverged\":"));
  EXPECT_THAT(over("return 1", rounds), testing::HasSubstr("{\"diverged\":"));
}

TEST(Calls, LimitsAndWhatNeverComesAreFailures) {
  EXPECT_EQ(follow("while (true) {}", twice).told.substr(0, 10), "time_limit");
  EXPECT_EQ(follow("await new Promise(() => {})", twice).told.substr(0, 13), "never_settles");
  EXPECT_EQ(follow("return Date.now()", twice).told.substr(0, 8), "no_clock");
  EXPECT_EQ(follow("return (", twice).told.substr(0, 12), "syntax_error");
}

}  // namespace
}  // namespace holdfast::sandbox
