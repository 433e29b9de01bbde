// The platform store keeps what agents and servers rely on: a conversation that two writers cannot mix up, a
// step that an activity may repeat, a decision that is taken once. Each test uses a real file and reopens it
// where durability is the point.

#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "base/sha256.h"
#include "platform_sqlite/test_support.h"

namespace holdfast::platform {
namespace {

std::vector<std::string> texts(const Result<std::vector<Message>>& messages) {
  std::vector<std::string> out;
  if (!messages) return {messages.error().to_string()};
  for (const Message& message : *messages) out.push_back(message.json);
  return out;
}

using ::testing::ElementsAre;

TEST_F(StoreTest, AppendFollowsTheHeadAndSurvivesReopening) {
  Result<Appended> one = store_->append(Store::empty_conversation("c"), {"a", "b"});
  ASSERT_TRUE(one) << one.error().to_string();
  EXPECT_EQ(one->head.sequence, 2u);
  EXPECT_FALSE(one->branch_opened);
  Result<Appended> two = store_->append(one->head, {"c"});
  ASSERT_TRUE(two);
  close();
  open();
  EXPECT_EQ(*store_->head("c", 0), two->head);
  EXPECT_THAT(texts(store_->read(two->head)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(texts(store_->read(two->head, 2, 2)), ElementsAre("b"));
  EXPECT_THAT(texts(store_->read(one->head)), ElementsAre("a", "b"));
}

TEST_F(StoreTest, AppendBehindAMovedHeadOpensABranchAndLeavesTheOtherAlone) {
  const Reference start = store_->append(Store::empty_conversation("c"), {"a", "b"})->head;
  const Reference main = store_->append(start, {"main"})->head;
  Result<Appended> fork = store_->append(start, {"fork"});
  ASSERT_TRUE(fork);
  EXPECT_TRUE(fork->branch_opened);
  EXPECT_EQ(fork->head.branch, 1u);
  EXPECT_EQ(fork->head.sequence, 3u);
  EXPECT_THAT(texts(store_->read(main)), ElementsAre("a", "b", "main"));
  EXPECT_THAT(texts(store_->read(fork->head)), ElementsAre("a", "b", "fork"));

  // A fork of the fork, at a message that the fork only inherits, and one at the very beginning.
  Reference first = fork->head;
  first.sequence = 1;
  first.sha256 = store_->read(fork->head, 1, 1)->front().chain_sha256;
  Result<Appended> deeper = store_->append(first, {"deeper"});
  ASSERT_TRUE(deeper) << deeper.error().to_string();
  EXPECT_EQ(deeper->head.branch, 2u);
  EXPECT_THAT(texts(store_->read(deeper->head)), ElementsAre("a", "deeper"));
  Result<Appended> anew = store_->append(Store::empty_conversation("c"), {"new"});
  EXPECT_THAT(texts(store_->read(anew->head)), ElementsAre("new"));
}

TEST_F(StoreTest, SameMessagesHaveTheSameHashOnEveryBranch) {
  const Reference start = store_->append(Store::empty_conversation("c"), {"a"})->head;
  const Reference one = store_->append(start, {"b"})->head;
  const Reference two = store_->append(start, {"b"})->head;
  EXPECT_NE(one.branch, two.branch);
  EXPECT_EQ(one.sha256, two.sha256);
}

TEST_F(StoreTest, AReferenceThatDoesNotFitChangesNothing) {
  Reference head = store_->append(Store::empty_conversation("c"), {"a"})->head;
  Reference wrong = head;
  wrong.sha256[0] = wrong.sha256[0] == '0' ? '1' : '0';
  EXPECT_EQ(store_->append(wrong, {"x"}).error().code(), Code::kFailedPrecondition);
  wrong = head;
  wrong.sequence = 7;
  EXPECT_EQ(store_->append(wrong, {"x"}).error().code(), Code::kFailedPrecondition);
  wrong = head;
  wrong.branch = 3;
  EXPECT_EQ(store_->read(wrong).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(store_->append(head, {}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(*store_->head("c", 0), head);
}

TEST_F(StoreTest, ConcurrentAppendsToOneHeadGetABranchEach) {
  const Reference start = store_->append(Store::empty_conversation("c"), {"a"})->head;
  std::vector<Reference> heads(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    threads.emplace_back([&, i] { heads[i] = store_->append(start, {std::to_string(i)})->head; });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<bool> seen(heads.size());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    seen.at(heads[i].branch) = true;
    EXPECT_THAT(texts(store_->read(heads[i])), ElementsAre("a", std::to_string(i)));
  }
  EXPECT_THAT(seen, ::testing::Each(true));
}

TEST_F(StoreTest, ARepeatedStepFindsItsRecordAndCountsItsTokensOnce) {
  StepWrite step;
  step.key = "turn-1";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  step.result = R"({"ok":true})";
  Usage usage;
  usage.key = "turn-1";
  usage.run = "r";
  usage.input_tokens = 10;
  usage.output_tokens = 3;
  step.usage = {usage};
  Result<StepRecord> first = store_->commit_step(step);
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_FALSE(first->replayed);
  close();
  open();
  step.messages = {"something else"};
  Result<StepRecord> again = store_->commit_step(step);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->appended->head, first->appended->head);
  EXPECT_EQ(again->result, step.result);
  EXPECT_EQ((*store_->lookup_step("turn-1"))->appended->head, first->appended->head);
  EXPECT_FALSE(store_->lookup_step("turn-2")->has_value());
  EXPECT_EQ(store_->head("c", 0)->sequence, 1u);
  EXPECT_EQ(store_->usage_of_run("r")->input_tokens, 10);
  EXPECT_EQ(store_->usage_of_run("r")->calls, 1);
}

TEST_F(StoreTest, AFailingStepLeavesNothing) {
  StepWrite step;
  step.key = "k";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  step.usage.resize(1);  // without a key: refused after the messages were written
  EXPECT_EQ(store_->commit_step(step).error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(store_->lookup_step("k")->has_value());
  EXPECT_EQ(store_->head("c", 0).error().code(), Code::kNotFound);
}

TEST_F(StoreTest, SweepForgetsStepsOfARunAndKeepsItsMessages) {
  StepWrite step;
  step.key = "k";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  ASSERT_TRUE(store_->commit_step(step));
  EXPECT_THAT(*store_->runs_with_steps(clock_.now() + std::chrono::seconds(1), 10), ElementsAre("r"));
  EXPECT_TRUE(store_->runs_with_steps(clock_.now() - std::chrono::hours(1), 10)->empty());
  EXPECT_EQ(*store_->sweep_steps("r"), 1);
  EXPECT_FALSE(store_->lookup_step("k")->has_value());
  EXPECT_EQ(store_->head("c", 0)->sequence, 1u);
}

TEST_F(StoreTest, AnEffectIsFreshOnceThenUnknownUntilSettled) {
  EffectIntent intent;
  intent.key = "e";
  intent.run = "r";
  intent.tool = "refund";
  intent.effect = EffectClass::kAtMostOnce;
  intent.arguments_sha256 = sha256_hex("{}");
  EXPECT_FALSE(store_->lookup_effect("e")->has_value());
  EXPECT_EQ(store_->settle_effect("e", true, "{}").error().code(), Code::kFailedPrecondition);
  Result<EffectRecord> begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kFresh);
  EXPECT_EQ(begun->fence, 1);
  close();
  open();
  begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kUnknown);
  EXPECT_EQ(begun->fence, 2);
  EXPECT_EQ(begun->intent.effect, EffectClass::kAtMostOnce);
  EXPECT_EQ((*store_->lookup_effect("e"))->state, EffectState::kUnknown);
  ASSERT_TRUE(store_->settle_effect("e", true, "done"));
  EXPECT_EQ(store_->settle_effect("e", false, "other")->result, "done");
  begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kSettled);
  EXPECT_TRUE(begun->succeeded);
  intent.tool = "other";
  EXPECT_EQ(store_->begin_effect(intent).error().code(), Code::kFailedPrecondition);
}

TEST_F(StoreTest, AStartIsRememberedAndADifferentOneRefused) {
  StartIntent intent;
  intent.run = "refund-7";
  intent.agent = "refund";
  intent.input = R"({"order":7})";
  intent.idempotency_key = "key";
  Result<Started> started = store_->start_run(intent);
  ASSERT_TRUE(started && started->created);
  EXPECT_EQ(started->run.request_id, "refund-7");
  const auto unstarted = store_->unstarted_runs(clock_.now() + std::chrono::seconds(1), 10);
  ASSERT_EQ(unstarted->size(), 1u);
  EXPECT_TRUE(
      store_->unstarted_runs(clock_.now() + std::chrono::seconds(1), 10, unstarted->front().run)->empty());
  Result<Started> again = store_->start_run(intent);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->run.run, "refund-7");

  StartIntent by_key = intent;
  by_key.run.clear();
  EXPECT_EQ(store_->start_run(by_key)->run.run, "refund-7");
  StartIntent other = intent;
  other.input = "{}";
  EXPECT_EQ(store_->start_run(other).error().code(), Code::kAlreadyExists);
  other.idempotency_key.clear();
  EXPECT_EQ(store_->start_run(other).error().code(), Code::kAlreadyExists);

  ASSERT_TRUE(store_->mark_started("refund-7", "engine-run").ok());
  EXPECT_TRUE(store_->unstarted_runs(clock_.now() + std::chrono::seconds(1), 10)->empty());
  EXPECT_EQ(store_->run("refund-7")->engine_run_id, "engine-run");
  EXPECT_EQ(store_->run("none").error().code(), Code::kNotFound);
  EXPECT_EQ(store_->mark_started("none", "").code(), Code::kNotFound);
}

TEST_F(StoreTest, RunsComeNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) {
    StartIntent intent;
    intent.run = "r" + std::to_string(i);
    intent.agent = i == 2 ? "other" : "a";
    ASSERT_TRUE(store_->start_run(intent));
  }
  RunFilter filter;
  filter.limit = 2;
  filter.agent = "a";
  std::vector<std::string> seen;
  for (Result<std::vector<platform::RunRecord>> page = store_->runs(filter); page && !page->empty();
       page = store_->runs(filter)) {
    for (const platform::RunRecord& run : *page) seen.push_back(run.run);
    filter.after = seen.back();
  }
  EXPECT_THAT(seen, ElementsAre("r4", "r3", "r1", "r0"));
  filter.after = "none";
  EXPECT_EQ(store_->runs(filter).error().code(), Code::kInvalidArgument);
}

TEST_F(StoreTest, DefinitionsKeepEveryVersionAndNameOneCurrent) {
  const std::string one = store_->put_definition("refund", "model: a")->hash;
  const std::string two = store_->put_definition("refund", "model: b")->hash;
  EXPECT_EQ(one, sha256_hex("model: a"));
  EXPECT_EQ(store_->current_definition("refund")->hash, two);
  EXPECT_EQ(store_->definition("refund", one)->text, "model: a");
  EXPECT_FALSE(store_->definition("refund", one)->current);
  ASSERT_TRUE(store_->put_definition("refund", "model: a"));  // rolled back
  EXPECT_EQ(store_->current_definition("refund")->hash, one);
  EXPECT_EQ(store_->definitions()->size(), 1u);
  EXPECT_EQ(store_->definition_versions("refund")->size(), 2u);
  EXPECT_EQ(store_->current_definition("none").error().code(), Code::kNotFound);
}

// ---- approvals

Approval refund_approval() {
  Approval approval;
  approval.id = "ap";
  approval.run = "r";
  approval.agent = "refund";
  approval.tool = "refund";
  approval.arguments = R"({"amount":120})";
  approval.reason = "over the limit";
  return approval;
}

DecisionAttempt decision(std::string update_id, std::string by, ApprovalStatus what) {
  DecisionAttempt attempt;
  attempt.update_id = std::move(update_id);
  attempt.approval = "ap";
  attempt.decision = what;
  attempt.decided_by = std::move(by);
  return attempt;
}

TEST_F(StoreTest, ADecisionIsStoredBeforeItIsSentAndTheLoserIsAudited) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  ASSERT_TRUE(store_->request_approval(refund_approval()));  // an activity retry
  ASSERT_TRUE(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kApproved)));
  ASSERT_TRUE(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kApproved)));
  ASSERT_TRUE(store_->begin_decision(decision("u2", "bob", ApprovalStatus::kRejected)));
  EXPECT_EQ(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kRejected)).error().code(),
            Code::kAlreadyExists);
  close();
  open();
  Result<std::vector<DecisionAttempt>> waiting = store_->unanswered_decisions();
  ASSERT_FALSE(waiting->empty());
  EXPECT_TRUE(store_->unanswered_decisions(waiting->back().update_id)->empty());
  ASSERT_EQ(waiting->size(), 2u);
  EXPECT_EQ(waiting->front().update_id, "u1");
  EXPECT_EQ(store_->finish_decision("u1", true, "")->status, ApprovalStatus::kApproved);
  EXPECT_EQ(store_->finish_decision("u2", false, "ann was first")->decided_by, "ann");
  EXPECT_TRUE(store_->unanswered_decisions()->empty());
  EXPECT_EQ(store_->begin_decision(decision("u3", "eve", ApprovalStatus::kApproved)).error().code(),
            Code::kFailedPrecondition);

  Result<std::vector<AuditRow>> rows = store_->audit_rows("ap", 10);
  ASSERT_EQ(rows->size(), 3u);  // newest first: eve refused, bob lost, ann decided
  EXPECT_EQ((*rows)[0].actor, "eve");
  EXPECT_EQ((*rows)[0].action, "approval.lost");
  EXPECT_EQ((*rows)[1].actor, "bob");
  EXPECT_EQ((*rows)[2].action, "approval.decided");
}

TEST_F(StoreTest, AnApprovalIsBoundToItsArguments) {
  Approval approval = refund_approval();
  approval.arguments_sha256 = sha256_hex("other");
  EXPECT_EQ(store_->request_approval(approval).error().code(), Code::kInvalidArgument);
  approval.arguments_sha256.clear();
  ASSERT_TRUE(store_->request_approval(approval));
  DecisionAttempt attempt = decision("u1", "ann", ApprovalStatus::kApproved);
  attempt.arguments_sha256 = sha256_hex("other");
  EXPECT_EQ(store_->begin_decision(attempt).error().code(), Code::kFailedPrecondition);
  approval.arguments = "{}";
  EXPECT_EQ(store_->request_approval(approval).error().code(), Code::kAlreadyExists);
}

TEST_F(StoreTest, AnExpiredApprovalTakesNoDecisionAndTheWorkflowsOutcomeStands) {
  Approval approval = refund_approval();
  approval.expires_at = clock_.now() - std::chrono::seconds(1);
  ASSERT_TRUE(store_->request_approval(approval));
  EXPECT_EQ(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kApproved)).error().code(),
            Code::kFailedPrecondition);
  Approval outcome;
  outcome.id = "ap";
  outcome.status = ApprovalStatus::kExpired;
  EXPECT_EQ(store_->settle_approval(outcome)->status, ApprovalStatus::kExpired);
  EXPECT_TRUE(store_->settle_approval(outcome));
  outcome.status = ApprovalStatus::kApproved;
  EXPECT_EQ(store_->settle_approval(outcome).error().code(), Code::kFailedPrecondition);
}

TEST_F(StoreTest, ApprovalsAreListedByStatusAndRun) {
  for (const char* id : {"a", "b", "c"}) {
    Approval approval = refund_approval();
    approval.id = id;
    approval.run = id == std::string("b") ? "other" : "r";
    ASSERT_TRUE(store_->request_approval(approval));
  }
  Approval outcome;
  outcome.id = "a";
  outcome.status = ApprovalStatus::kEdited;
  outcome.edited_arguments = "{}";
  ASSERT_TRUE(store_->settle_approval(outcome));
  ApprovalFilter filter;
  filter.status = ApprovalStatus::kPending;
  EXPECT_EQ(store_->approvals(filter)->size(), 2u);
  filter.run = "r";
  ASSERT_EQ(store_->approvals(filter)->size(), 1u);
  EXPECT_EQ(store_->approvals(filter)->front().id, "c");
  filter = {};
  filter.limit = 1;
  filter.after = "c";
  EXPECT_EQ(store_->approvals(filter)->front().id, "b");
}

// ---- the file

TEST_F(StoreTest, ASecondOpenerIsToldThatTheDirectoryIsInUse) {
  os::ThreadExecutor flusher("second");
  SqliteOptions options;
  options.directory = directory_.path();
  Result<OpenStores> second = open_sqlite(options, clock_, random_, flusher);
  ASSERT_FALSE(second);
  EXPECT_EQ(fault_of(second.error()), StorageFault::kLocked);
  EXPECT_THAT(second.error().message(), ::testing::HasSubstr(directory_.path().string()));
}

TEST_F(StoreTest, AFileThatIsNotOursIsRefused) {
  close();
  std::filesystem::remove(directory_.path() / "platform.db-wal");
  std::ofstream(directory_.path() / "platform.db", std::ios::trunc) << std::string(4096, 'x');
  os::ThreadExecutor flusher("second");
  SqliteOptions options;
  options.directory = directory_.path();
  Result<OpenStores> opened = open_sqlite(options, clock_, random_, flusher);
  ASSERT_FALSE(opened);
  EXPECT_EQ(fault_of(opened.error()), StorageFault::kCorrupt);
}

}  // namespace
}  // namespace holdfast::platform
