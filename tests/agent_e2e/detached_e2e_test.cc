// Goal: a detached call runs while the agent goes on, the model hears of its end once and at the right
// moment, and somebody outside who has the token ends it exactly once. Method: whole runs; the model matches
// on what it is told, the receiver counts and keeps what it was given.

#include <gmock/gmock.h>
#include <cstdlib>

#include <algorithm>

#include "harness.h"
#include "protocol/detached.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kRenders = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: render, arguments: {page: 7}}]
  - when: {turn: 1, last: "runs on its own"}
    text: "It runs; I wait."
  - when: {last: "^The call of `render`.* has ended. It answered:"}
    text: "Then: {{last}}"
)";

// A call that somebody outside ends; the receiver keeps the token.
std::string render(Platform& p, const std::string& effect, const std::string& more = {}) {
  return "    - name: render\n      type: http\n      effect: " + effect +
         "\n      timeout: 3s\n      retry: {initial: 20ms, attempts: 3}\n"
         "      detached: {completion: token, deadline: 1h}\n"
         "      parameters: {properties: {page: {type: integer}}, required: [page]}\n"
         "      http: {method: POST, url: \"" +
         p.receiver->url("/render") + "\", body: {page: \"{page}\", call: \"{completion_url}\"}}\n" + more;
}

std::string token_of(Platform& p, std::size_t delivery = 0) {
  const std::string url = Json::parse(p.receiver->bodies().at(delivery)).at("call").get<std::string>();
  EXPECT_THAT(url, ::testing::StartsWith("http://holdfast.test/api/v1/completions/"));
  return url.substr(url.rfind('/') + 1);
}

// As the API does: the store first, then the word.
Result<Outcome<Json>> complete(Platform& p, const WorkflowHandle& run, const std::string& token,
                               const std::string& result, bool succeeded = true) {
  platform::CompletionAttempt attempt;
  attempt.token = token;
  attempt.result = result;
  attempt.succeeded = succeeded;
  auto completion = p.store().complete(attempt);
  EXPECT_TRUE(completion) << completion.error().to_string();
  protocol::CompletionNews news;
  news.id = completion->id;
  return run.update<Json>(protocol::kCompleteUpdate, news);
}

bool waits_for_detached(Platform& p, const WorkflowHandle& run) {
  return eventually([&] { return p.status(run).value("phase", "") == "detached"; });
}

TEST(Detached, ACallIsEndedFromOutsideAndTheModelHearsOfIt) {
  Platform p(kRenders);
  p.deploy("rendered", "", render(p, "idempotent"));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(202, R"({"job":17})"); };
  auto run = p.start("rendered", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  EXPECT_EQ(p.status(run)["detached"][0]["tool"], "render");
  p.stop_workers();  // whoever waits is in no process
  p.start_workers();
  const std::string token = token_of(p);
  ASSERT_TRUE(complete(p, run, token, "page 7 is ready")->ok());
  EXPECT_THAT(p.finish(run).output, HasSubstr("page 7 is ready"));
  const auto said = p.conversation(run.workflow_id());
  ASSERT_EQ(said.size(), 6u);
  EXPECT_THAT(said[2], ::testing::AllOf(HasSubstr("runs on its own"), HasSubstr(R"({"job":17})")));
  EXPECT_EQ(said[3], "assistant: It runs; I wait.");
  EXPECT_THAT(said[4], HasSubstr("user: The call of `render`"));
  EXPECT_EQ(p.receiver->deliveries(), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.detached"), 1);
  for (const platform::Event& event : p.events(run.workflow_id()))
    EXPECT_EQ(event.data.find(token), std::string::npos) << event.type;
  // The run has it: nothing is left to be told, and a late word is refused.
  EXPECT_TRUE(p.store().untold_completions("", 10)->empty());
}

TEST(Detached, AFailureFromOutsideIsToldAsOne) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: render, arguments: {page: 7}}]
  - when: {turn: 1, last: "runs on its own"}
    text: "It runs."
  - when: {last: "Error: out of paper"}
    text: "No paper."
)");
  p.deploy("unrendered", "", render(p, "at_most_once"));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(202, "ok"); };
  auto run = p.start("unrendered", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  ASSERT_TRUE(complete(p, run, token_of(p), "out of paper", false)->ok());
  EXPECT_EQ(p.finish(run).output, "No paper.");
}

TEST(Detached, WhoDoesNotComeInTimeIsTooLate) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: render, arguments: {page: 7}}]
  - when: {turn: 1, last: "runs on its own"}
    text: "It runs."
  - when: {last: "nobody said in time"}
    text: "Nobody came."
)");
  p.deploy("expired", "", render(p, "idempotent"));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(202, "ok"); };
  auto run = p.start("expired", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  ASSERT_TRUE(sleeps(run));
  p.skip(std::chrono::hours(2));
  EXPECT_EQ(p.finish(run).output, "Nobody came.");
  platform::CompletionAttempt late;
  late.token = token_of(p);
  EXPECT_EQ(p.store().complete(late).error().code(), Code::kOutOfRange);
}

// The word is lost: the deadline finds what the store has.
TEST(Detached, TheStoreKnowsTheEndThoughNobodySaidSo) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kRenders);
  p.deploy("unheard", "", render(p, "idempotent"));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(202, "ok"); };
  auto run = p.start("unheard", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  platform::CompletionAttempt attempt;
  attempt.token = token_of(p);
  attempt.result = "ready all the same";
  ASSERT_TRUE(p.store().complete(attempt));
  ASSERT_TRUE(sleeps(run));
  p.skip(std::chrono::hours(2));
  EXPECT_THAT(p.finish(run).output, HasSubstr("ready all the same"));
}

// The request arrives, its answer is lost, and whoever got it is done at once: it was made, and once.
TEST(Detached, AnAtMostOnceCallWhoseAnswerIsLostIsKnownByItsEnd) {
  Platform p(kRenders);
  p.deploy("lost", "", render(p, "at_most_once"));
  p.receiver->answer = [](int) {
    return std::pair<int, std::string>(0, "");  // and no answer at all
  };
  auto run = p.start("lost", "go");
  ASSERT_TRUE(eventually([&] { return p.receiver->deliveries() == 1; }));
  ASSERT_TRUE(complete(p, run, token_of(p), "quick")->ok());
  EXPECT_THAT(p.finish(run).output, HasSubstr("quick"));
  EXPECT_EQ(p.receiver->deliveries(), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "approval.requested"), 0);
}

TEST(Detached, AStartThatIsRefusedIsNoDetachedCall) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: render, arguments: {page: 7}}]
  - when: {turn: 1, last: "Error"}
    text: "Refused."
)");
  p.deploy("refused", "", render(p, "idempotent"));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(400, "no such page"); };
  auto run = p.start("refused", "go");
  EXPECT_EQ(p.finish(run).output, "Refused.");
  platform::CompletionAttempt late;
  late.token = token_of(p);
  EXPECT_EQ(p.store().complete(late).error().code(), Code::kFailedPrecondition);
}

TEST(Detached, ARunThatEndsClosesItsCallsAndUndoesThem) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: render, arguments: {page: 7}}]
  - when: {turn: 1}
    text: "It runs."
)");
  p.deploy("ended", "",
           render(p, "idempotent",
                  "      compensate: {tool: stop, arguments: {job: \"{result.job}\"}}\n"
                  "    - name: stop\n      type: http\n      effect: idempotent\n"
                  "      parameters: {properties: {job: {type: integer}}, required: [job]}\n"
                  "      http: {method: POST, url: \"" +
                      p.receiver->url("/stop") + "\", body: {stop: \"{job}\"}}\n"));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(202, R"({"job":17})"); };
  auto run = p.start("ended", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  ASSERT_TRUE(run.cancel("enough").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_TRUE(is_canceled(result->error()));
  EXPECT_THAT(p.receiver->bodies(), Contains(R"({"stop":17})"));
  platform::CompletionAttempt late;
  late.token = token_of(p);
  EXPECT_EQ(p.store().complete(late).error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(p.conversation(run.workflow_id()).back(), HasSubstr("the run ended before this call did"));
}

// ---- calls that end themselves

constexpr const char* kGoesOn = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: slow, arguments: {text: long}}]
  - when: {turn: 1, last: "runs on its own"}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
  - when: {turn: 2, last: "The call of `slow`.* has ended. It answered:"}
    text: "Both."
  - when: {turn: 2}
    text: "I wait."
  - when: {turn: 3, last: "The call of `slow`.* has ended. It answered:"}
    text: "Both, later."
)";

std::string slow(Platform& p) {
  return "    - name: slow\n      type: http\n      effect: at_most_once\n      timeout: 30s\n"
         "      detached: true\n      parameters: {properties: {text: {type: string}}}\n"
         "      http: {method: POST, url: \"" +
         p.receiver->url("/slow") + "\", body: {text: \"{text}\"}}\n";
}

TEST(Detached, TheAgentGoesOnWhileACallRuns) {
  Platform p(kGoesOn);
  p.deploy("beside", "", slow(p));
  std::atomic<bool> open = false;
  p.receiver->answer = [&open](int) {
    EXPECT_TRUE(eventually([&] { return open.load(); }));
    return std::pair<int, std::string>(200, "long gone");
  };
  auto run = p.start("beside", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  // Two turns, the lookup, the last word; the log follows a step within a moment.
  EXPECT_TRUE(eventually([&] { return p.count_events(run.workflow_id(), "step.completed") == 4; }));
  open = true;
  EXPECT_EQ(p.finish(run).output, "Both, later.");
  EXPECT_EQ(p.receiver->deliveries(), 1);
  EXPECT_THAT(p.conversation(run.workflow_id()), Contains(HasSubstr("It answered:\nlong gone")));
}

// A reminder: a wait that nobody waits for.
TEST(Detached, AWaitIsAReminder) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: remind, arguments: {duration: 3h}}]
  - when: {turn: 1}
    text: "I shall be reminded."
  - when: {last: "The call of `remind`.* has ended"}
    text: "It is time."
)");
  p.deploy("reminded", "", "    - {name: remind, type: wait, detached: true, wait: {max: 1d}}\n");
  auto run = p.start("reminded", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  ASSERT_TRUE(sleeps(run));
  p.skip(std::chrono::hours(4));
  EXPECT_EQ(p.finish(run).output, "It is time.");
}

TEST(Detached, ARunThatIsCancelledCancelsWhatRunsBesideIt) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: remind, arguments: {duration: 3h}}]
  - when: {turn: 1}
    text: "I shall be reminded."
)");
  p.deploy("stopped", "", "    - {name: remind, type: wait, detached: true, wait: {max: 1d}}\n");
  auto run = p.start("stopped", "go");
  ASSERT_TRUE(waits_for_detached(p, run)) << p.status(run).dump();
  ASSERT_TRUE(run.cancel("enough").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_TRUE(is_canceled(result->error()));
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.canceled"), 1);
}

}  // namespace
}  // namespace holdfast::e2e
