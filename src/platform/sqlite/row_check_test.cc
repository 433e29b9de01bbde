// A changed bit in a row is told when the row is read, and nothing goes on from it; what stands beside it
// does. Method: rows are changed behind the store's back, one column at a time.

#include "platform_sqlite/row_check.h"

#include <gmock/gmock.h>

#include "base/storage_fault.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "platform_sqlite/sqlite_tables.h"
#include "sqlite/statement.h"

namespace holdfast::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RowCheck : public ::testing::Test {
 protected:
  RowCheck() {
    open();
    fill();
  }
  void open() {
    stores_ = {};
    SqliteOptions options;
    options.directory = directory_.path();
    options.complain = [this](const std::string& message) { told_.push_back(message); };
    Result<OpenStores> opened = open_sqlite(options, clock_, random_, flusher_);
    ASSERT_TRUE(opened) << opened.error().to_string();
    stores_ = std::move(*opened);
  }
  Store& store() { return *stores_.store; }

  void fill() {
    StepWrite step;
    step.key = "step";
    step.run = "run";
    step.expected = Store::empty_conversation("talk");
    step.messages = {R"({"role":"user"})"};
    step.result = "result";
    ASSERT_TRUE(store().commit_step(step));
    EffectIntent effect;
    effect.key = "effect";
    effect.run = "run";
    effect.tool = "pay";
    ASSERT_TRUE(store().begin_effect(effect));
    for (const char* id : {"approval", "other"}) {
      Approval approval;
      approval.id = id;
      approval.run = "run";
      approval.tool = "pay";
      approval.arguments = "{}";
      ASSERT_TRUE(store().request_approval(approval));
      DecisionAttempt attempt;
      attempt.update_id = std::string("update-") + id;
      attempt.approval = id;
      attempt.decided_by = "ann";
      ASSERT_TRUE(store().begin_decision(attempt));
    }
    StartIntent intent;
    intent.run = "run";
    intent.agent = "agent";
    intent.input = "{}";
    ASSERT_TRUE(store().start_run(intent));
    for (const char* name : {"agent", "neighbour"}) ASSERT_TRUE(store().put_definition(name, "text"));
  }

  void label_agent() {
    LabelMove move;
    move.agent = "agent";
    move.label = "production";
    move.hash = store().current_definition("agent")->hash;
    ASSERT_TRUE(store().move_label(move));
  }

  // Something changes in the file.
  void change(const char* sql) {
    stores_ = {};
    sqlite::Database db;
    ASSERT_TRUE(db.open(directory_.path() / "platform.db").ok());
    ASSERT_TRUE(db.execute(sql).ok()) << sql;
    EXPECT_GT(db.changes(), 0) << sql;
    told_.clear();
    open();
  }

  template <typename T>
  static void expect_loss(const Result<T>& result, std::string_view of) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::kDataLoss) << result.error().message();
    EXPECT_EQ(fault_of(result.error()), StorageFault::kCorrupt);
    EXPECT_THAT(result.error().message(), HasSubstr(std::string(of)));
  }

  fixture::TemporaryDirectory directory_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
  OpenStores stores_;
  std::vector<std::string> told_;
};

TEST_F(RowCheck, WhatIsSoundReadsAsItWas) {
  open();
  EXPECT_EQ((*store().lookup_step("step"))->result, "result");
  EXPECT_EQ(store().approvals({})->size(), 2u);
  EXPECT_EQ(store().unanswered_decisions("")->size(), 2u);
  EXPECT_EQ(store().definitions()->size(), 2u);
  EXPECT_TRUE(told_.empty());
}

TEST_F(RowCheck, AStepIsNotRepeatedForADamagedRecord) {
  change("UPDATE steps SET result = 'resulu'");
  expect_loss(store().lookup_step("step"), "'step' of steps");
  StepWrite again;
  again.key = "step";
  again.run = "run";
  again.result = "result";
  expect_loss(store().commit_step(again), "steps");
}

// What is copied into another database is as it was written, or is not copied.
TEST_F(RowCheck, ADamagedRowOfAnyTableIsNotCopied) {
  AuditRow row;
  row.actor = "ann";
  ASSERT_TRUE(store().audit(row).ok());
  label_agent();
  ASSERT_TRUE(store().take_turn("conversation", "run"));
  const auto read_all = [&](std::string_view name) -> Status {
    auto tables = open_sqlite_tables(directory_.path());
    if (!tables) return tables.error();
    for (const Table& table : kTables) {
      if (table.name != name) continue;
      return (*tables)->rows(table, [](std::span<const Cell>) { return Status(); });
    }
    return {Code::kNotFound, "no such table"};
  };
  for (const Table& table : kTables) EXPECT_TRUE(read_all(table.name).ok()) << table.name;
  const std::pair<const char*, const char*> damages[] = {
      {"branches", "UPDATE branches SET fork = 1"},
      {"messages", "UPDATE messages SET json = 'x'"},
      {"steps", "UPDATE steps SET result = 'x'"},
      {"effects", "UPDATE effects SET fence = 9"},
      {"approvals", "UPDATE approvals SET arguments = 'x'"},
      {"decisions", "UPDATE decisions SET decided_by = 'x'"},
      {"runs", "UPDATE runs SET input = 'x'"},
      {"definitions", "UPDATE definitions SET text = 'x'"},
      {"current_definitions", "UPDATE current_definitions SET hash = 'x'"},
      {"labels", "UPDATE labels SET label = 'x'"},
      {"label_moves", "UPDATE label_moves SET actor = 'bob'"},
      {"audit", "UPDATE audit SET actor = 'bob'"},
      {"turns", "UPDATE turns SET conversation = 'x'"},
  };
  for (const auto& [table, damage] : damages) {
    change(damage);
    EXPECT_EQ(read_all(table).code(), Code::kDataLoss) << table;
  }
}

// A bill is not made of numbers that nobody wrote, and a list of who did what has no entry that nobody made.
TEST_F(RowCheck, WhatIsAccountedByIsAsItWasWritten) {
  for (const char* run : {"one", "other"}) {
    Usage usage;
    usage.key = std::string("call-of-") + run;
    usage.run = run;
    usage.input_tokens = 10;
    usage.output_tokens = 3;
    ASSERT_TRUE(store().record_usage(usage).ok());
    AuditRow row;
    row.actor = "ann";
    row.action = "deployed";
    row.subject = run;
    row.detail = "{}";
    ASSERT_TRUE(store().audit(row).ok());
  }
  EXPECT_EQ(store().usage_of_run("one")->input_tokens, 10);
  const std::size_t rows = store().audit_rows("", 10)->size();
  change("UPDATE usage SET input_tokens = 11 WHERE run = 'one'");
  expect_loss(store().usage_of_run("one"), "'one' of usage");
  EXPECT_EQ(store().usage_of_run("other")->calls, 1);
  EXPECT_EQ(store().usage_of_run("nobody")->calls, 0);
  change("UPDATE audit SET actor = 'bob' WHERE subject = 'one'");
  EXPECT_EQ(store().audit_rows("", 10)->size(), rows - 1);
  EXPECT_TRUE(store().audit_rows("one", 10)->empty());
  EXPECT_EQ(store().audit_rows("other", 10)->front().actor, "ann");
  EXPECT_THAT(told_, ElementsAre(HasSubstr("of audit")));
}

TEST_F(RowCheck, AnEffectIsNeitherBegunNorSettled) {
  for (const char* sql :
       {"UPDATE effects SET settled = 1", "UPDATE effects SET settled = 0, class = 77, checksum = NULL"}) {
    change(sql);
    expect_loss(store().lookup_effect("effect"), "'effect' of effects");
    EffectIntent intent;
    intent.key = "effect";
    intent.run = "run";
    intent.tool = "pay";
    expect_loss(store().begin_effect(intent), "effects");
    expect_loss(store().settle_effect("effect", true, "{}"), "effects");
  }
}

TEST_F(RowCheck, AnApprovalIsNotDecidedAndItsNeighbourIsListed) {
  for (const char* sql : {"UPDATE approvals SET arguments = '{\"amount\":9}' WHERE id = 'approval'",
                          "UPDATE approvals SET status = 99, checksum = NULL WHERE id = 'approval'"}) {
    change(sql);
    expect_loss(store().approval("approval"), "'approval' of approvals");
    expect_loss(store().finish_decision("update-approval", true, ""), "approvals");
    const auto listed = store().approvals({});
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 1u);
    EXPECT_EQ(listed->front().id, "other");
    ASSERT_TRUE(store().approvals({}));
    EXPECT_THAT(told_, ElementsAre(HasSubstr("'approval' of approvals"))) << "once";
  }
  EXPECT_EQ(store().finish_decision("update-other", true, "")->status, ApprovalStatus::kApproved);
}

TEST_F(RowCheck, ADamagedTableIsOneLineAReading) {
  change("UPDATE approvals SET arguments = '{}x'");
  EXPECT_TRUE(store().approvals({})->empty());
  EXPECT_TRUE(store().approvals({})->empty());
  EXPECT_THAT(told_, ElementsAre(HasSubstr("2 rows of approvals"))) << "once";
}

TEST_F(RowCheck, ADamagedDecisionIsNotSent) {
  change("UPDATE decisions SET decided_by = 'bob' WHERE update_id = 'update-approval'");
  const auto waiting = store().unanswered_decisions("");
  ASSERT_TRUE(waiting);
  ASSERT_EQ(waiting->size(), 1u);
  EXPECT_EQ(waiting->front().update_id, "update-other");
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(RowCheck, ARunIsNotStartedFromADamagedIntent) {
  change("UPDATE runs SET input = '[]'");
  expect_loss(store().run("run"), "'run' of runs");
  expect_loss(Result<bool>(store().mark_started("run", "id").ok()
                               ? Result<bool>(true)
                               : Result<bool>(fail(store().mark_started("run", "id")))),
              "runs");
  EXPECT_TRUE(store().unstarted_runs(clock_.now() + std::chrono::hours(1), 10)->empty());
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(RowCheck, ADefinitionIsWhatItsHashSays) {
  const std::string hash = store().current_definition("agent")->hash;
  // Rows of the first version have no checksum; their hash says it all the same.
  change("UPDATE definitions SET text = 'texu', checksum = NULL WHERE name = 'agent'");
  expect_loss(store().definition("agent", hash), "'agent' of definitions");
  expect_loss(store().current_definition("agent"), "definitions");
  EXPECT_EQ(store().definitions()->size(), 1u);
  EXPECT_TRUE(store().definition_versions("agent")->empty());
  EXPECT_EQ(store().current_definition("neighbour")->text, "text");
}

TEST_F(RowCheck, ACurrentVersionThatIsNoneIsNotNotFound) {
  change("UPDATE current_definitions SET hash = 'abc' WHERE name = 'agent'");
  expect_loss(store().current_definition("agent"), "'agent' of current_definitions");
  change("UPDATE current_definitions SET checksum = NULL WHERE name = 'agent'");
  expect_loss(store().current_definition("agent"), "current_definitions");
  EXPECT_EQ(store().definitions()->size(), 1u);
}

TEST_F(RowCheck, ALabelLeadsToTheVersionThatItWasMovedTo) {
  label_agent();
  change("UPDATE label_moves SET hash = 'abc'");
  expect_loss(store().label("agent", "production"), "'agent' of labels");
  EXPECT_TRUE(store().labels("agent")->empty());
  change("UPDATE labels SET move = 7, checksum = NULL");
  expect_loss(store().label("agent", "production"), "'agent' of labels");
}

TEST_F(RowCheck, AConversationIsNotReadOrContinuedWrong) {
  const Reference head = *store().head("talk", 0);
  change("UPDATE messages SET json = '{\"role\":\"usex\"}'");
  expect_loss(store().read(head, 1, 1), "talk, branch 0, sequence 1");
  change("UPDATE branches SET head = 7");
  expect_loss(store().head("talk", 0), "'talk' of branches");
  expect_loss(store().append(head, {"{}"}), "branches");
}

TEST_F(RowCheck, ARowOfAnEarlierLandingGetsItsChecksumWhenItIsWritten) {
  change("UPDATE effects SET checksum = NULL");
  EXPECT_TRUE((*store().lookup_effect("effect")).has_value());
  ASSERT_TRUE(store().settle_effect("effect", true, "{}"));
  change("UPDATE effects SET result = '[]'");
  expect_loss(store().lookup_effect("effect"), "effects");
}

}  // namespace
}  // namespace holdfast::platform
