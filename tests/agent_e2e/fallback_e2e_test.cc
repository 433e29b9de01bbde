// Goal: a model that cannot answer costs a run neither its life nor a word of what was said: the next model
// of the role goes on, who answered and why is to be seen, and a provider's key is used as the operator
// allows. Method: whole runs on a real engine, with scripted models on two addresses and a counting one.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness.h"
#include "holdfast/failure.h"

namespace holdfast::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTool = R"(
  - when: {turn: 0, tool: lookup}
    reasoning: I have to look.
    text: Let me look.
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
)";

// A second provider beside the harness's own.
std::unique_ptr<model::ScriptedServer> second(const std::string& script) {
  model::ScriptedOptions options;
  options.script = script;
  auto server = model::start_scripted_server(options);
  EXPECT_TRUE(server.has_value()) << server.error().message();
  return *std::move(server);
}

std::string fallback_to(const model::ScriptedServer& server, const std::string& provider = "openai") {
  return fmt::format(
      "    fallbacks: [{{provider: {}, base_url: \"{}\", name: second, retry: {{initial: 20ms}}}}]", provider,
      server.base_url());
}

std::vector<Json> events_of(Platform& p, const std::string& run, std::string_view type) {
  std::vector<Json> out;
  for (const platform::Event& event : p.events(run)) {
    if (event.type == type) out.push_back(Json::parse(event.data));
  }
  return out;
}

std::string failure_of(const WorkflowHandle& run) {
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  if (!result) return result.error().to_string();
  if (result->ok()) return "no failure";
  const auto* failure = find_failure<ApplicationFailure>(result->error());
  return failure == nullptr ? "another failure" : failure->type() + ": " + failure->message();
}

// The model changes in the middle of a conversation whose first turn holds what only the first provider
// understands: both scripted servers refuse ciphers that are not their own.
class Failover : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

INSTANTIATE_TEST_SUITE_P(Models, Failover,
                         ::testing::Values(std::pair("anthropic", "gemini"), std::pair("gemini", "anthropic"),
                                           std::pair("openai_responses", "anthropic"),
                                           std::pair("openai", "openai_responses")));

TEST_P(Failover, TheNextModelGoesOnInTheMiddleOfAConversation) {
  Platform p(std::string("replies:") + kTool + "  - text: never\n    faults: [{status: 529}]\n");
  auto other = second("replies:\n  - when: {turn: 1, last: Ada}\n    text: It is Ada's.\n");
  p.provider = GetParam().first;
  p.deploy("failover", "", "", fallback_to(*other, GetParam().second));
  auto run = p.start("failover", "whose is 7?");
  EXPECT_EQ(p.finish(run).output, "It is Ada's.");
  EXPECT_EQ(other->requests(), 1u);
  const auto completed = events_of(p, run.workflow_id(), "step.completed");
  ASSERT_EQ(completed.size(), 3u);
  EXPECT_EQ(completed[0]["name"], "failover");
  EXPECT_FALSE(completed[0].contains("instead_of"));
  EXPECT_EQ(completed[2]["name"], "second");
  EXPECT_EQ(completed[2]["provider"], GetParam().second);
  EXPECT_EQ(completed[2]["instead_of"][0]["name"], "failover");
  EXPECT_THAT(completed[2]["instead_of"][0]["why"].get<std::string>(), HasSubstr("OverloadedError"));
  auto usage = p.store().usage_of_run(run.workflow_id());
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->calls, 2) << "a call that failed is none";
}

TEST(Fallback, RetryAfterOfTheFirstIsNobodysDelay) {
  Platform p("replies:\n  - text: late\n    faults: [{status: 429, retry_after: \"3600\"}]\n");
  auto other = second("replies:\n  - text: here\n");
  p.deploy("busy", "", "", fallback_to(*other));
  EXPECT_EQ(p.finish(p.start("busy", "go")).output, "here");
  EXPECT_EQ(p.scripted->requests(), 1u);
  // The provider wants to be left alone for an hour: the next run does not even ask.
  p.deploy("busy-too", "", "", fallback_to(*other));
  auto run = p.start("busy-too", "go");
  EXPECT_EQ(p.finish(run).output, "here");
  EXPECT_EQ(p.scripted->requests(), 1u);
  EXPECT_THAT(
      events_of(p, run.workflow_id(), "step.completed").at(0)["instead_of"][0]["why"].get<std::string>(),
      HasSubstr("left alone"));
}

TEST(Fallback, AFilterIsNoReasonToAskAnother) {
  Platform p("replies:\n  - text: no\n    faults: [{status: 400, code: content_filter}]\n");
  auto other = second("replies:\n  - text: yes\n");
  p.deploy("filtered", "", "", fallback_to(*other));
  EXPECT_THAT(failure_of(p.start("filtered", "go")), HasSubstr("ContentFilterError"));
  EXPECT_EQ(other->requests(), 0u);
}

TEST(Fallback, WhenAllFailTheErrorNamesEach) {
  Platform p("replies:\n  - text: no\n    faults: [{status: 401}]\n");
  auto other = second("replies:\n  - text: no\n    faults: [{status: 402, message: no money}]\n");
  p.deploy("hopeless", "", "", fallback_to(*other));
  const std::string failure = failure_of(p.start("hopeless", "go"));
  EXPECT_THAT(failure, HasSubstr("openai hopeless: AuthError"));
  EXPECT_THAT(failure, HasSubstr("openai second: QuotaExhaustedError: the model answered 402: no money"));
  EXPECT_EQ(p.scripted->requests(), 1u);
  EXPECT_EQ(other->requests(), 1u);
}

// Five runs find out that the first is down; the others go straight to the second.
TEST(Fallback, AnOpenCircuitSparesTheNextRunsTheAttempt) {
  Platform p("replies:\n  - text: no\n    faults: [{status: 503}]\n");
  auto other = second("replies:\n  - text: here\n");
  for (int i = 0; i < 8; ++i) {
    const std::string name = "circuit-" + std::to_string(i);
    p.deploy(name, "", "", fallback_to(*other));
    auto run = p.start(name, "go");
    EXPECT_EQ(p.finish(run).output, "here");
    if (i == 7) {
      const auto started = events_of(p, run.workflow_id(), "step.started");
      ASSERT_EQ(started.size(), 1u);
      EXPECT_THAT(started[0]["instead_of"][0]["why"].get<std::string>(), HasSubstr("its circuit is open"));
    }
  }
  EXPECT_EQ(p.scripted->requests(), 5u);
  EXPECT_EQ(other->requests(), 8u);
}

// ---- limits

// A provider that lets fifty calls in at a time and refuses the next one. It holds its answers until as many
// are in as can be, so that the limit is reached.
class Counting {
 public:
  explicit Counting(int all) : left_(all) {
    net::ServerOptions options;
    options.address = "127.0.0.1:0";
    auto started = net::Server::start(
        options, [this](net::Request, net::Responder responder) { take(std::move(responder)); });
    EXPECT_TRUE(started.has_value());
    server_ = *std::move(started);
  }
  std::string url() const { return "http://" + server_->address() + "/v1"; }
  int most() const { return most_; }
  int refused() const { return refused_; }

 private:
  void take(net::Responder responder) {
    std::vector<net::Responder> answered;
    {
      const std::lock_guard lock(mutex_);
      if (in_.size() >= 50) {
        ++refused_;
        net::Response no;
        no.status = 429;
        no.content_type = "application/json";
        no.body = R"({"error":{"message":"too many","code":"rate_limit_exceeded"}})";
        return responder.reply(std::move(no));
      }
      in_.push_back(std::move(responder));
      most_ = std::max(most_.load(), static_cast<int>(in_.size()));
      if (static_cast<int>(in_.size()) < std::min(50, left_)) return;
      // All that are in get their answer; what comes meanwhile is counted anew.
      left_ -= static_cast<int>(in_.size());
      answered.swap(in_);
    }
    for (net::Responder& one : answered) {
      net::Response yes;
      yes.content_type = "application/json";
      yes.body =
          R"({"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"done"}}]})";
      one.reply(std::move(yes));
    }
  }

  std::mutex mutex_;
  std::vector<net::Responder> in_;  // guarded by mutex_
  int left_;                        // guarded by mutex_
  std::atomic<int> most_ = 0;
  std::atomic<int> refused_ = 0;
  std::unique_ptr<net::Server> server_;
};

TEST(Limits, AThousandRunsOnFiftySlotsMeetNoRefusal) {
  constexpr int kRuns = 1000;
  constexpr int kAgents = 4;
  Counting provider(kRuns);
  Platform p("replies:\n  - text: unused\n");
  p.stop_workers();
  p.model_slots = 200;
  model::Limit fifty;
  fifty.host = model::host_of(provider.url());
  fifty.concurrency = 50;
  p.model_limits.limits.list.push_back(fifty);
  p.start_workers();
  for (int i = 0; i < kAgents; ++i) {
    const std::string yaml = fmt::format(
        "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {{name: many-{}}}\nspec:\n  model: {{provider: "
        "openai, "
        "base_url: \"{}\", name: m}}\n  prompt: x\n",
        i, provider.url());
    auto deployed = agent::deploy(p.store(), {.text = yaml, .source = "many.yaml"});
    ASSERT_TRUE(deployed.has_value()) << deployed.error().message();
  }
  std::vector<WorkflowHandle> runs;
  for (int i = 0; i < kRuns; ++i) {
    agent::RunInput in;
    in.agent = "many-" + std::to_string(i % kAgents);
    in.input = "go";
    auto run =
        p.client().start(agent::kWorkflowType,
                         StartOptions(p.run_id("many") + "-" + std::to_string(i), agent::kAgentQueue), in);
    ASSERT_TRUE(run.has_value()) << run.error().to_string();
    runs.push_back(*std::move(run));
  }
  for (const WorkflowHandle& run : runs) EXPECT_EQ(p.finish(run).output, "done");
  EXPECT_EQ(provider.most(), 50);
  EXPECT_EQ(provider.refused(), 0);
}

}  // namespace
}  // namespace holdfast::e2e
