// Goal: a policy that is tried on past calls says what it would have said then, with what each run had done
// by then. Method: definitions against calls from a file, and against the events of a run.

#include "activities/policy_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/asking.h"
#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

AgentDefinition definition(const std::string& approvals) {
  auto out = parse_definition(
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  model: {provider: openai, "
      "name: m}\n"
      "  prompt: p\n  tools:\n"
      "    - {name: refund, type: http, parameters: {properties: {amount: {type: number}}}, http: {url: "
      "'http://h/'}}\n"
      "    - {name: check, type: http, http: {url: 'http://h/'}}\n"
      "  approvals: " +
          approvals + "\n",
      "agent.yaml");
  EXPECT_TRUE(out.has_value()) << out.error().message();
  return out ? *out : AgentDefinition();
}

TEST(PolicyReplay, ACallSeesWhatItsRunHadDone) {
  const auto calls = read_calls(
      R"({"run":"a","tool":"refund","args":{"amount":1},"at":"2026-05-17T10:00:00Z","ruling":"allow"}
{"run":"a","tool":"check","args":{},"at":"2026-05-17T10:01:00Z","ok":true,"ruling":"allow"}

{"run":"b","tool":"refund","args":{"amount":1},"at":"2026-05-17T10:02:00Z","ruling":"allow"}
{"run":"a","tool":"refund","args":{"amount":1},"at":"2026-05-17T10:30:00Z","ruling":"allow"}
{"run":"a","tool":"refund","args":{"amount":1},"at":"2026-05-17T11:30:00Z","ruling":"deny"}
{"run":"a","tool":"refund","args":{"amount":1},"at":"2026-05-17T11:30:00Z"}
)");
  ASSERT_TRUE(calls.has_value()) << calls.error().message();
  const AgentDefinition agent = definition(
      "{language: cel, rules: [{tool: refund, action: deny, when: '!calls(\"check\").exists(c, c.ok && now - "
      "c.time < "
      "duration(\"1h\"))'}]}");
  const auto rulings = play_policy(agent, *calls);
  std::string said;
  for (const PlayedRuling& one : rulings)
    said += std::string(to_string(one.ruling.action)) + (one.differs ? "! " : " ");
  EXPECT_EQ(said, "deny! allow deny! allow deny deny ");
}

TEST(PolicyReplay, ALineThatIsNoCallIsNamed) {
  for (auto [text, why] : {std::pair{"{\"tool\":\"a\",\"args\":{}}\nnonsense", "line 2"},
                           {"{\"tool\":\"a\"}", "line 1: a call is"},
                           {"{\"tool\":\"a\",\"args\":{},\"when\":1}", "`when` is not known"},
                           {"{\"tool\":\"a\",\"args\":{},\"at\":\"yesterday\"}", "`at` is a time"},
                           {"{\"tool\":\"a\",\"args\":{},\"ruling\":\"maybe\"}", "`ruling` is"}}) {
    const auto calls = read_calls(text);
    ASSERT_FALSE(calls.has_value()) << text;
    EXPECT_THAT(calls.error().message(), HasSubstr(why));
  }
}

TEST(PolicyReplay, EventsOfARunAreCalls) {
  const auto events = nlohmann::ordered_json::parse(R"([
    {"type":"step.completed","at":"2026-05-17T10:00:00.000Z","data":{"step":1,"kind":"model","tool_calls":[
      {"name":"refund","arguments":"{\"amount\":5}","verdict":"deny"},
      {"name":"refund","arguments":"{\"amount\":1}","verdict":"judge"},
      {"name":"refund","arguments":"{\"amount\":9","verdict":"allow"},
      {"name":"check","arguments":"","verdict":"allow"}]}},
    {"type":"policy.ruled","at":"2026-05-17T10:00:01.000Z","data":{"step":2,"action":"ask"}},
    {"type":"step.completed","at":"2026-05-17T10:00:02.000Z","data":{"step":4,"kind":"http","name":"check"}}])");
  std::size_t unreadable = 0;
  const auto calls = calls_of_events("r", events, unreadable);
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(unreadable, 1u);
  EXPECT_EQ(calls[0].ruling, "deny");
  EXPECT_EQ(calls[1].ruling, "ask");
  EXPECT_EQ(calls[2].tool, "check");
  EXPECT_TRUE(calls[2].ok);
  EXPECT_GT(calls[2].ended_ms, calls[2].at_ms);
}

// A run that goes on from there looks them up in the conversation.
TEST(PolicyReplay, EventsSayWhereACallStandsAndWhenItWasMade) {
  CallsOfEvents calls("r");
  calls.apply("step.completed", 1000, Json::parse(R"({"step":4,"kind":"model","message":7,"tool_calls":[
      {"name":"odd","arguments":"","verdict":"invalid"},
      {"name":"refund","arguments":"{\"amount\":1, ...","verdict":"ask"},
      {"name":"check","arguments":"{}","verdict":"allow"}]})"));
  calls.apply("approval.decided", 2000, Json{{"step", 5}, {"outcome", "edited"}, {"approval", "ap-1"}});
  calls.apply("step.started", 3000, Json{{"step", 5}});
  calls.apply("step.started", 3500, Json{{"step", 5}});  // another attempt
  calls.apply("step.completed", 4000, Json{{"step", 5}, {"is_error", true}});
  calls.apply("step.completed", 4000, Json{{"step", "5.1"}});
  const auto read = calls.take();
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].message, 7u);
  EXPECT_EQ(read[0].ordinal, 1u);
  EXPECT_EQ(read[0].approval, "ap-1");
  EXPECT_EQ(read[0].at_ms, 3000);
  EXPECT_EQ(read[0].ended_ms, 4000);
  EXPECT_FALSE(read[0].ok);
  EXPECT_FALSE(read[0].whole);
  EXPECT_TRUE(was_made(read[0]));
  EXPECT_EQ(read[1].ordinal, 2u);
  EXPECT_TRUE(was_made(read[1]));  // it is under way
}

TEST(Asking, FourEyesOfAnUnknownStarterAreTwoPeople) {
  const AgentDefinition agent = definition(
      "{rules: [{tool: refund, action: ask, four_eyes: true, who: [cashier], on_expiry: fail, escalate: "
      "[{after: 1h, "
      "to: [admin]}]}, {tool: check, action: ask}]}");
  const Ruling ruling = check_policy(agent.approvals, "refund", Json::object());
  const Asking known = asking_of(agent.approvals, ruling, "ann");
  ASSERT_TRUE(known.terms.has_value());
  EXPECT_EQ(known.terms->quorum, 1);
  EXPECT_EQ(known.terms->requester, "ann");
  EXPECT_EQ(known.terms->on_expiry, protocol::kExpiryFails);
  EXPECT_EQ(known.terms->escalate.at(0).after_ms, 3'600'000);
  EXPECT_EQ(asking_of(agent.approvals, ruling, "").terms->quorum, 2);
  // What says no more than before is asked as before.
  EXPECT_FALSE(
      asking_of(agent.approvals, check_policy(agent.approvals, "check", Json::object()), "ann").terms);
}

}  // namespace
}  // namespace holdfast::agent
