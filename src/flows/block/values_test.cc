// Goal: values reach the sandbox as the text that they were stored as, and come back so; rules of CEL see the
// same. The sandbox is one that answers what the test says.

#include "block/values.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/json.h"
#include "block/program.h"

namespace holdfast::flows {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kFlow = R"(
apiVersion: holdfast.dev/v1
kind: Flow
metadata: {name: order}
spec:
  blocks:
    - {id: begin, type: start}
    - {id: find, type: join, needs: [begin]}
    - {id: other, type: join, needs: [begin]}
    - id: decide
      type: branch
      needs: [find, other]
      with: {rules: [{name: large, when: "blocks.find.amount > 100"}, {name: js, when: "{{ input.js }}"}]}
    - {id: py, type: code, needs: [find], with: {language: python, code: "return blocks['find']['n'] + 1"}}
    - {id: made, type: transform, needs: [decide.large], with: {value: {n: "{{ blocks.find.n }}", list: [1, "{{ input }}", "plain"]}}}
    - {id: mo, type: code, needs: [find], with: {language: monty, code: "return blocks['find']['n'] + 1"}}
    - {id: reply, type: respond, needs: [decide.large], with: {value: {n: "{{ blocks.find.n * 2n }}"}}}
)";

class ValuesTest : public ::testing::Test {
 protected:
  BlockResult run(std::size_t block) {
    ValueSources sources;
    sources.input = [this] { return input_; };
    sources.result = [this](std::size_t other) {
      read_.push_back(program_.flow.blocks[other].id);
      return find_;
    };
    sources.evaluate = [this](const sandbox::Request& request) -> Result<sandbox::Reply> {
      asked_.push_back(request);
      sandbox::Reply reply;
      reply.result = answer_;
      reply.failure = failure_;
      return reply;
    };
    Values values(program_.flow, program_.flow.blocks[block], program_.blocks[block], std::move(sources));
    return program_.blocks[block].type->run(program_.blocks[block], values);
  }

  Program program_ = *read_program(kFlow, "f.yaml");
  std::string input_ = R"({"js":true})";
  std::string find_ = R"({"amount":101,"n":9007199254740993})";
  std::string answer_ = "12345678901234567890123";
  std::optional<sandbox::Failure> failure_;
  std::vector<sandbox::Request> asked_;
  std::vector<std::string> read_;
};

TEST_F(ValuesTest, NumbersStayAsTheyAre) {
  const auto made = run(5);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->value, R"({"n":12345678901234567890123,"list":[1,{"js":true},"plain"]})");
  ASSERT_EQ(asked_.size(), 1U) << "a name alone needs no sandbox";
  EXPECT_EQ(asked_[0].inputs,
            R"({"input":{"js":true},"blocks":{"find":{"amount":101,"n":9007199254740993}}})");
  EXPECT_THAT(read_, ElementsAre("find")) << "what is not named is not read, and nothing twice";
}

TEST_F(ValuesTest, AnOutputThatNoReaderGetsIsRefused) {
  const auto refused = run(7);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, "ValueError");
  EXPECT_THAT(refused.error().message,
              HasSubstr("the integer 12345678901234567890123 has more than 64 bits; respond with a text"));
  answer_ = "18446744073709551615";
  const auto reply = run(7);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->value, R"({"n":18446744073709551615})");
}

TEST_F(ValuesTest, AFailureOfTheCodeIsTheBlocksOwnWithItsPlace) {
  failure_ = sandbox::Failure{sandbox::Fault::kThrown, "TypeError", "x is not a function", 2, 7};
  const auto made = run(5);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().type, sandbox::fault_name(sandbox::Fault::kThrown));
  EXPECT_THAT(made.error().message, HasSubstr("line 2, column 7: TypeError: x is not a function"));
}

TEST_F(ValuesTest, PythonIsAskedForAsPython) {
  ASSERT_TRUE(run(4));
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].kind, sandbox::Kind::kPython);
  EXPECT_EQ(asked_[0].limits.time_ms, sandbox::kPythonLimits.time_ms);
  EXPECT_EQ(asked_[0].code, "return blocks['find']['n'] + 1");
  EXPECT_THAT(asked_[0].inputs, HasSubstr(R"("find":{"amount":101,"n":9007199254740993})"));
}

TEST_F(ValuesTest, MontyIsAskedForAsMonty) {
  ASSERT_TRUE(run(6));
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].kind, sandbox::Kind::kMonty);
  EXPECT_EQ(asked_[0].limits.time_ms, sandbox::kPythonLimits.time_ms);
}

TEST_F(ValuesTest, TheFirstRuleThatHoldsNamesTheOutlet) {
  EXPECT_EQ(run(3)->outlet, "large");
  EXPECT_TRUE(asked_.empty()) << "CEL needs no sandbox";
  find_ = R"({"amount":1})";
  answer_ = "true";
  EXPECT_EQ(run(3)->outlet, "js");
  answer_ = "false";
  EXPECT_EQ(run(3)->outlet, "otherwise");
  answer_ = "1";
  EXPECT_THAT(run(3).error().message, HasSubstr("rule `js`: it is neither true nor false, but 1"));
  find_ = "null";  // it was skipped
  EXPECT_THAT(run(3).error().message, HasSubstr("rule `large`: "));
}

// Any JSON without expressions: a value comes back as it was written, in whatever order its members stand.
nlohmann::ordered_json any_value(std::mt19937& random, int depth) {
  using Ordered = nlohmann::ordered_json;
  const auto kind = random() % (depth > 0 ? 7 : 5);
  if (kind == 0) return nullptr;
  if (kind == 1) return random() % 2 == 0;
  if (kind == 2) return static_cast<std::int64_t>(random() % 1000) * 9007199254740993LL;
  if (kind == 3) return static_cast<double>(random()) / 8;
  if (kind == 4) return fmt::format("text \"{}\" \\ : # {}\n", random() % 100, "\u00e4{}[]");
  Ordered out = kind == 5 ? Ordered::array() : Ordered::object();
  for (auto left = random() % 5; left > 0; --left) {
    if (kind == 5)
      out.push_back(any_value(random, depth - 1));
    else
      out[fmt::format("{}{}", static_cast<char>('a' + random() % 26), random() % 100)] =
          any_value(random, depth - 1);
  }
  return out;
}

TEST(WrittenValues, ComeBackAsTheyWereWritten) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const std::string value = dump_json(any_value(random, 4));
    const auto program = read_program(
        fmt::format("apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {{name: f}}\nspec:\n  blocks:\n"
                    "    - {{id: begin, type: start}}\n"
                    "    - {{id: a, type: transform, needs: [begin], with: {{\"value\": {}}}}}\n",
                    value),
        "f.yaml");
    ASSERT_TRUE(program) << program.error().message() << value;
    const auto stored = read_program(canonical_json(*program), "stored");
    ASSERT_TRUE(stored) << stored.error().message();
    for (const Program* one : {&*program, &*stored}) {
      Values values(one->flow, one->flow.blocks[1], one->blocks[1], {});
      const BlockResult result = one->blocks[1].type->run(one->blocks[1], values);
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(result->value, value);
    }
  }
}

}  // namespace
}  // namespace holdfast::flows
