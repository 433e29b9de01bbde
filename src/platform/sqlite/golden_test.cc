// Every format that has landed is opened by every later build. tests/data/platform-v1 to -v8 were
// written by the first builds that had them (the hidden test below, with HOLDFAST_GOLDEN_DIRECTORY); what
// they hold must read the same for ever.

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/sha256.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {
namespace {

class Golden : public ::testing::Test {
 protected:
  OpenStores open(const std::filesystem::path& directory) {
    SqliteOptions options;
    options.directory = directory;
    Result<OpenStores> opened = open_sqlite(options, clock_, random_, flusher_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    return std::move(*opened);
  }

  os::SystemClock clock_;
  os::SystemRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
};

TEST_F(Golden, DISABLED_Write) {
  const char* directory = std::getenv("HOLDFAST_GOLDEN_DIRECTORY");
  if (directory == nullptr) GTEST_SKIP();
  OpenStores stores = open(directory);
  Store& store = *stores.store;
  StepWrite step;
  step.key = "turn-1";
  step.run = "refund-7";
  step.expected = Store::empty_conversation("refund-7");
  step.messages = {R"({"role":"user","content":[{"type":"text","text":"7?"}]})"};
  step.result = R"({"ok":true})";
  Usage usage;
  usage.key = "turn-1";
  usage.run = "refund-7";
  usage.input_tokens = 10;
  usage.output_tokens = 3;
  step.usage = {usage};
  const Reference head = store.commit_step(step)->appended->head;
  ASSERT_TRUE(store.append(head, {"main"}));
  ASSERT_TRUE(store.append(head, {"fork"}));
  EffectIntent effect;
  effect.key = "refund";
  effect.tool = "issue_refund";
  effect.effect = Effect::kAtMostOnce;
  ASSERT_TRUE(store.begin_effect(effect));
  Approval approval;
  approval.id = "ap";
  approval.run = "refund-7";
  approval.tool = "issue_refund";
  approval.arguments = "{}";
  ASSERT_TRUE(store.request_approval(approval));
  DecisionAttempt attempt;
  attempt.update_id = "u";
  attempt.approval = "ap";
  attempt.decided_by = "ann";
  ASSERT_TRUE(store.begin_decision(attempt));
  StartIntent intent;
  intent.run = "refund-7";
  intent.agent = "refund";
  intent.input = "{}";
  ASSERT_TRUE(store.start_run(intent));
  ASSERT_TRUE(store.put_definition("refund", "model: a"));
  std::unique_ptr<StreamWriter> writer = std::move(*stores.streams->open("refund-7", "turn-1", 1));
  ASSERT_TRUE(writer->append("Hello").ok());
  ASSERT_TRUE(stores.streams->publish("refund-7", "message", "{}", "turn-1"));
}

class GoldenVersion : public Golden, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Landed, GoldenVersion,
                         ::testing::Values("v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"),
                         [](const auto& version) { return std::string(version.param); });

TEST_P(GoldenVersion, ReadsTheSame) {
  fixture::TemporaryDirectory copy;
  std::filesystem::copy(std::string(HOLDFAST_TEST_DATA "/platform-") + GetParam(), copy.path());
  OpenStores stores = open(copy.path());
  Store& store = *stores.store;
  const Reference main = *store.head("refund-7", 0);
  EXPECT_EQ(main.sequence, 2u);
  EXPECT_EQ(main.sha256,
            sha256_hex(sha256_hex(sha256_hex(R"({"role":"user","content":[{"type":"text","text":"7?"}]})")) +
                       sha256_hex("main")));
  EXPECT_EQ(store.read(*store.head("refund-7", 1))->back().json, "fork");
  EXPECT_EQ((*store.lookup_step("turn-1"))->result, R"({"ok":true})");
  EXPECT_EQ(store.usage_of_run("refund-7")->output_tokens, 3);
  EXPECT_EQ((*store.lookup_effect("refund"))->state, EffectState::kUnknown);
  EXPECT_EQ((*store.lookup_effect("refund"))->intent.effect, Effect::kAtMostOnce);
  EXPECT_EQ(store.approval("ap")->status, ApprovalStatus::kPending);
  Decider anybody;
  anybody.now = clock_.now();
  EXPECT_EQ(stores.inbox->asked_of(anybody, "", 10)->size(), 1u) << "what waited is in everybody's inbox";
  EXPECT_EQ(store.unanswered_decisions()->front().decided_by, "ann");
  EXPECT_EQ(store.unstarted_runs(clock_.now(), 10)->front().run, "refund-7");
  EXPECT_EQ(store.current_definition("refund")->text, "model: a");
  Result<EventPage> events = stores.streams->read("refund-7", "", 10);
  ASSERT_EQ(events->events.size(), 3u);
  EXPECT_EQ(events->events[1].data, R"({"step":"turn-1","attempt":1,"offset":0,"text":"Hello"})");
  EXPECT_EQ(stores.streams->publish("refund-7", "message", "other", "turn-1")->seq, 3u);
  // And it goes on.
  EXPECT_EQ(store.append(main, {"more"})->head.sequence, 3u);
  EXPECT_EQ(store.finish_decision("u", true, "")->status, ApprovalStatus::kApproved);
}

}  // namespace
}  // namespace holdfast::platform
