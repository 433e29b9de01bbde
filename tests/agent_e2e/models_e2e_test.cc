// Goal: an agent is the same agent whatever format its model speaks, and its answer is of the form that was
// asked for or is none. Method: whole runs on a real engine, with a scripted model on each provider's wire
// format, which refuses what its provider would refuse.

#include <gmock/gmock.h>

#include "harness.h"
#include "holdfast/failure.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string failure_type(const WorkflowHandle& run) {
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  if (!result) return result.error().to_string();
  if (result->ok()) return "no failure";
  const auto* failure = find_failure<ApplicationFailure>(result->error());
  return failure == nullptr ? "another failure" : failure->type();
}

class Formats : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Models, Formats,
                         ::testing::Values("openai", "openai_responses", "anthropic", "gemini"));

// What was thought goes through the store and back: the scripted providers know their own ciphers.
TEST_P(Formats, AToolIsCalledAndWhatWasThoughtGoesBack) {
  Platform p(R"(
replies:
  - when: {turn: 0, tool: lookup}
    reasoning: I have to look.
    text: Let me look.
    tool_calls: [{name: lookup, arguments: {order_id: 1042}}, {name: note, arguments: {text: seen}}]
    usage: {input: 30, output: 12, reasoning: 4}
  - when: {turn: 1, last: ok}
    text: It is there.
    usage: {input: 40, output: 5}
)");
  p.provider = GetParam();
  p.deploy("formats");
  auto run = p.start("formats", "where is 1042?");
  const agent::RunResult result = p.finish(run);
  EXPECT_EQ(result.output, "It is there.");
  EXPECT_EQ(result.usage.input_tokens, 70);
  EXPECT_EQ(result.usage.output_tokens, 17);
  EXPECT_EQ(p.scripted->requests(), 2u);
  EXPECT_EQ(p.receiver->deliveries(), 1);
  // The record of the step says what of it was thought, where the format does.
  Json usage;
  for (const platform::Event& event : p.events(run.workflow_id())) {
    Json data = Json::parse(event.data);
    if (event.type == "step.completed" && data["kind"] == "model" && usage.is_null()) usage = data["usage"];
  }
  EXPECT_EQ(usage["input_tokens"], 30) << usage.dump();
  EXPECT_EQ(usage.contains("reasoning_tokens"), p.provider != "anthropic") << usage.dump();
}

TEST_P(Formats, AnImageIsReadAndTheAnswerHasItsForm) {
  Platform p("replies:\n  - when: {last: damaged}\n    text: '{\"total\": 3}'\n");
  p.provider = GetParam();
  p.deploy("form",
           "  output_schema: {type: object, required: [total], properties: {total: {type: integer}}}");
  auto run = p.start("form", R"({"content":[{"type":"text","text":"what is damaged?"},)"
                             R"({"type":"image","media_type":"image/png","data":"iVBORw0="}]})");
  EXPECT_EQ(p.finish(run).output, R"({"total": 3})");
}

TEST(Models, AnAnswerOfAnotherFormIsMendedOnce) {
  Platform p(R"(
replies:
  - when: {turn: 1, last: "could not be used: .*`output_schema`"}
    text: '{"total": 3}'
  - text: Three.
)");
  p.deploy("prose", "  output_schema: {type: object, required: [total]}\n  limits: {max_iterations: 1}");
  auto run = p.start("prose", "go");
  EXPECT_EQ(p.finish(run).output, R"({"total": 3})");
  EXPECT_EQ(p.scripted->requests(), 2u);
  const auto said = p.conversation(run.workflow_id());
  ASSERT_EQ(said.size(), 4u);
  EXPECT_EQ(said[1], "assistant: Three.");
  EXPECT_THAT(said[2], HasSubstr("user: Your answer could not be used"));
}

TEST(Models, AnAnswerThatIsOfAnotherFormAgainIsNone) {
  Platform p("replies:\n  - text: Three.\n");
  p.deploy("prose", "  output_schema: {type: object}");
  EXPECT_EQ(failure_type(p.start("prose", "go")), "InvalidOutputError");
  EXPECT_EQ(p.scripted->requests(), 2u);
}

TEST(Models, AnImageThatIsNoneIsRefusedBeforeTheModelSeesIt) {
  Platform p("replies:\n  - text: x\n");
  p.deploy("bad");
  EXPECT_EQ(failure_type(p.start("bad", R"({"content":[{"type":"image","url":"file:///etc/passwd"}]})")),
            "INVALID_ARGUMENT");
  EXPECT_EQ(p.scripted->requests(), 0u);
}

}  // namespace
}  // namespace holdfast::e2e
