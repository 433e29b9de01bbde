// What users find with list filters: the right runs, in Temporal's order, page by page, also after the index
// was closed, damaged or fed twice.
//
// Method: a real index file, fed with records as the engine writes them.

#include "visibility/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <set>

#include "fixture/temporary_directory.h"

namespace holdfast::visibility {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Info = pb::workflow::v1::WorkflowExecutionInfo;

class IndexTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    index_.reset();
    auto index = Index::open({.path = dir_ + "/visibility.db"});
    ASSERT_TRUE(index) << index.error().to_string();
    index_ = std::move(*index);
  }

  static Info info(const std::string& id, int started, int closed = 0,
                   enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_RUNNING) {
    Info info;
    info.mutable_execution()->set_workflow_id(id);
    info.mutable_execution()->set_run_id("run-" + id);
    info.mutable_type()->set_name("Order");
    info.set_task_queue("q");
    info.set_status(status);
    info.mutable_start_time()->set_seconds(started);
    info.mutable_execution_time()->set_seconds(started);
    if (closed != 0) info.mutable_close_time()->set_seconds(closed);
    info.set_history_length(started * 10);
    return info;
  }

  static void attribute(Info& info, const std::string& name, const std::string& json,
                        const std::string& type = "") {
    auto& payload = (*info.mutable_search_attributes()->mutable_indexed_fields())[name];
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    if (!type.empty()) (*payload.mutable_metadata())["type"] = type;
    payload.set_data(json);
  }

  void apply(const Info& info, const std::string& namespace_id = "ns") {
    const Entry entry{++sequence_, {.namespace_id = namespace_id, .info = info.SerializeAsString()}};
    const Status status = index_->apply({&entry, 1});
    ASSERT_TRUE(status.ok()) << status.to_string();
  }

  std::vector<std::string> find(const std::string& query, const std::string& namespace_id = "ns") {
    auto result =
        index_->list({.namespace_id = namespace_id, .query = query, .custom_attributes = registered_});
    EXPECT_TRUE(result) << query << ": " << (result ? "" : result.error().to_string());
    std::vector<std::string> ids;
    if (result) {
      for (const Info& info : result->executions) ids.push_back(info.execution().workflow_id());
    }
    return ids;
  }
  std::string error(const std::string& query) {
    auto result = index_->list({.namespace_id = "ns", .query = query, .custom_attributes = registered_});
    EXPECT_FALSE(result) << query;
    if (result) return "";
    EXPECT_EQ(result.error().code(), Code::kInvalidArgument) << query;
    return result.error().message();
  }

  fixture::TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  std::unique_ptr<Index> index_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, AttributeType> registered_{
      {"Customer", AttributeType::kKeyword}, {"Amount", AttributeType::kInt},
      {"Rate", AttributeType::kDouble},      {"Tags", AttributeType::kKeywordList},
      {"Note", AttributeType::kText},        {"Due", AttributeType::kDatetime},
      {"Paid", AttributeType::kBool}};
};

TEST_F(IndexTest, ListsOpenRunsFirstThenTheLatestClosed) {
  apply(info("early", 10, 15, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED));
  apply(info("late", 11, 30, enums::WORKFLOW_EXECUTION_STATUS_FAILED));
  apply(info("old-open", 5));
  apply(info("new-open", 20));
  apply(info("elsewhere", 1), "other");
  EXPECT_THAT(find(""), ElementsAre("new-open", "old-open", "late", "early"));
  EXPECT_THAT(find("ORDER BY StartTime"), ElementsAre("old-open", "early", "late", "new-open"));
  EXPECT_THAT(find("ORDER BY ExecutionStatus DESC, WorkflowId"),
              ElementsAre("late", "early", "new-open", "old-open"));
  EXPECT_THAT(find("", "other"), ElementsAre("elsewhere"));
  EXPECT_THAT(find("", "nobody's"), IsEmpty());
}

TEST_F(IndexTest, FiltersBySystemAttributes) {
  apply(info("order-1", 10, 15, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED));
  apply(info("order-2", 11, 100, enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT));
  Info child = info("child", 20);
  child.mutable_type()->set_name("Refund's");
  child.mutable_parent_execution()->set_workflow_id("order-2");
  apply(child);
  EXPECT_THAT(find("WorkflowId = 'order-1'"), ElementsAre("order-1"));
  EXPECT_THAT(find("WorkflowId != \"order-1\""), ElementsAre("child", "order-2"));
  EXPECT_THAT(find("WorkflowId STARTS_WITH 'order-'"), ElementsAre("order-2", "order-1"));
  EXPECT_THAT(find("WorkflowId NOT STARTS_WITH 'order-'"), ElementsAre("child"));
  EXPECT_THAT(find("RunId IN ('run-child', 'run-order-2', 'no')"), ElementsAre("child", "order-2"));
  EXPECT_THAT(find("WorkflowType = 'Refund''s'"), ElementsAre("child"));
  EXPECT_THAT(find("`WorkflowType` = 'Refund\\'s'"), ElementsAre("child"));
  EXPECT_THAT(find("ExecutionStatus = 'Running'"), ElementsAre("child"));
  EXPECT_THAT(find("ExecutionStatus IN ('TimedOut', 'WORKFLOW_EXECUTION_STATUS_COMPLETED')"),
              ElementsAre("order-2", "order-1"));
  EXPECT_THAT(find("ExecutionStatus = 2"), ElementsAre("order-1"));
  EXPECT_THAT(find("StartTime > '1970-01-01T00:00:10Z' AND StartTime <= '1970-01-01T00:00:20Z'"),
              ElementsAre("child", "order-2"));
  EXPECT_THAT(find("StartTime BETWEEN '1970-01-01T00:00:10Z' AND '1970-01-01T00:00:11Z'"),
              ElementsAre("order-2", "order-1"));
  EXPECT_THAT(find("CloseTime IS NULL"), ElementsAre("child"));
  EXPECT_THAT(find("CloseTime is not null and HistoryLength >= 110"), ElementsAre("order-2"));
  EXPECT_THAT(find("ExecutionDuration > '1m'"), ElementsAre("order-2"));
  EXPECT_THAT(find("ExecutionDuration <= '00:00:05'"), ElementsAre("order-1"));
  EXPECT_THAT(find("ParentWorkflowId = 'order-2'"), ElementsAre("child"));
  EXPECT_THAT(find("ParentWorkflowId IS NULL"), ElementsAre("order-2", "order-1"));
  EXPECT_THAT(find("NOT (WorkflowId = 'child' OR WorkflowId = 'order-1')"), ElementsAre("order-2"));
  EXPECT_THAT(find("TaskQueue = 'q' AND (WorkflowId = 'child' OR HistoryLength NOT BETWEEN 0 AND 100)"),
              ElementsAre("child", "order-2"));
}

TEST_F(IndexTest, FiltersBySearchAttributes) {
  Info a = info("a", 1);
  attribute(a, "Customer", "\"acme\"", "Keyword");
  attribute(a, "Amount", "42", "Int");
  attribute(a, "Tags", "[\"red\",\"green\"]");
  attribute(a, "Note", "\"The quick Fox\"", "Text");
  attribute(a, "Due", "\"2026-01-31T12:00:00Z\"", "Datetime");
  attribute(a, "Paid", "true");
  attribute(a, "Broken", "not json");
  apply(a);
  Info b = info("b", 2);
  attribute(b, "Customer", "\"o'neill\"", "Keyword");
  attribute(b, "Amount", "7", "Int");
  attribute(b, "Rate", "1.5");
  apply(b);
  apply(info("c", 3));
  EXPECT_THAT(find("Customer = 'acme'"), ElementsAre("a"));
  EXPECT_THAT(find("Customer = \"o'neill\""), ElementsAre("b"));
  EXPECT_THAT(find("Customer != 'acme'"), ElementsAre("b"));
  EXPECT_THAT(find("Customer IS NULL"), ElementsAre("c"));
  EXPECT_THAT(find("Customer STARTS_WITH 'ac' OR Amount < 10"), ElementsAre("b", "a"));
  EXPECT_THAT(find("Amount BETWEEN 8 AND 50"), ElementsAre("a"));
  EXPECT_THAT(find("Rate >= 1"), ElementsAre("b"));
  EXPECT_THAT(find("Tags = 'green'"), ElementsAre("a"));
  EXPECT_THAT(find("Tags IN ('blue', 'red')"), ElementsAre("a"));
  EXPECT_THAT(find("Tags NOT IN ('blue', 'red')"), IsEmpty());
  EXPECT_THAT(find("Note = 'fox'"), ElementsAre("a"));
  EXPECT_THAT(find("Note = 'wolf'"), IsEmpty());
  EXPECT_THAT(find("Due < '2026-02-01T00:00:00Z'"), ElementsAre("a"));
  EXPECT_THAT(find("Paid = true"), ElementsAre("a"));
  EXPECT_THAT(find("Paid = false"), IsEmpty());
  EXPECT_THAT(find("TemporalChangeVersion = 'v1'"), IsEmpty());
  attribute(a, "Amount", "1", "Int");
  apply(a);
  EXPECT_THAT(find("Amount < 10"), ElementsAre("b", "a"));
  EXPECT_THAT(find("Amount = 42"), IsEmpty());
  EXPECT_THAT(find("Amount < '10'"), ElementsAre("b", "a"));
  EXPECT_THAT(find("Amount > 0.5"), ElementsAre("b", "a"));
  EXPECT_EQ(error("Amount = 1 AND Unheard = 5"),
            "invalid query: invalid expression: column name 'Unheard' is not a valid search attribute");
  registered_["Unheard"] = AttributeType::kInt;
  EXPECT_THAT(find("Unheard = 5"), IsEmpty());
}

// Records of earlier versions, whose names had no owner.
TEST_F(IndexTest, AValueOfAnotherTypeHidesNoOthers) {
  const auto customer = [](Info run, const std::string& json, const std::string& type) {
    attribute(run, "Customer", json, type);
    return run;
  };
  apply(customer(info("good", 1), "\"acme\"", "Keyword"));
  apply(customer(info("better", 2), "\"zeta\"", "Keyword"));
  apply(customer(info("number", 3), "5", "Int"));
  apply(customer(info("day", 4), "\"2026-01-31T12:00:00Z\"", "Datetime"));
  apply(info("none", 5));
  const UsedAttributes used{{"ns", {{"Customer", AttributeType::kKeyword}}}};
  EXPECT_EQ(index_->used_attributes().value(), used) << "the type that most have";
  EXPECT_THAT(find("Customer = 'acme'"), ElementsAre("good"));
  EXPECT_THAT(find("Customer IN ('acme', 'emca')"), ElementsAre("good"));
  EXPECT_THAT(find("Customer STARTS_WITH 'ac'"), ElementsAre("good"));
  EXPECT_THAT(find("Customer IS NOT NULL"), ElementsAre("day", "number", "better", "good"));
  EXPECT_THAT(find("Customer IS NULL"), ElementsAre("none"));
  EXPECT_THAT(error("Customer = 5"), HasSubstr("position 12"));
  registered_["Customer"] = AttributeType::kInt;
  EXPECT_THAT(find("Customer < 10"), ElementsAre("number"));
}

TEST_F(IndexTest, ReservedNamesAreNobodysOwn) {
  Info run = info("a", 1);
  attribute(run, "TemporalChangeVersion", "[\"v1\"]", "KeywordList");
  attribute(run, "BuildIds", "[\"b\"]", "KeywordList");
  apply(run);
  EXPECT_EQ(index_->used_attributes().value(), UsedAttributes());
}

// 40 records of a quarter of a megabyte: no page has more than its bytes, and nothing is left out.
TEST_F(IndexTest, APageEndsWhenItsBytesAreFull) {
  for (int i = 0; i < 40; ++i) {
    Info run = info("w" + std::to_string(i), 1 + i);
    (*run.mutable_memo()->mutable_fields())["m"].set_data(std::string(256 << 10, 'm'));
    apply(run);
  }
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page = index_->list({.namespace_id = "ns", .page_token = token});
    ASSERT_TRUE(page) << page.error().to_string();
    std::size_t bytes = 0;
    for (const Info& info : page->executions) {
      bytes += info.ByteSizeLong();
      ids.push_back(info.execution().workflow_id());
    }
    EXPECT_LE(bytes, Index::kMaxPageBytes);
    ASSERT_FALSE(page->executions.empty());
    token = page->next_page_token;
  } while (!token.empty());
  EXPECT_EQ(ids.size(), 40u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 40u);
  // One that alone is larger has a page of its own.
  Info huge = info("huge", 100);
  (*huge.mutable_memo()->mutable_fields())["m"].set_data(std::string(3 << 20, 'm'));
  apply(huge);
  const auto first = index_->list({.namespace_id = "ns"});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->executions.size(), 1u);
  EXPECT_EQ(first->executions[0].execution().workflow_id(), "huge");
}

TEST_F(IndexTest, MistypedAndHostileQueriesAreRefusedOrHarmless) {
  apply(info("a", 1));
  EXPECT_THAT(error("StartTime > 'soon'"), HasSubstr("position 13"));
  EXPECT_THAT(error("HistoryLength = 'many'"), HasSubstr("position 17"));
  EXPECT_THAT(error("ExecutionStatus = 'Happy'"), HasSubstr("position 19"));
  EXPECT_THAT(error("WorkflowId = 5"), HasSubstr("quotes"));
  EXPECT_THAT(error("HistoryLength STARTS_WITH '1'"), HasSubstr("position"));
  EXPECT_THAT(error("' OR 1=1"), HasSubstr("position 1"));
  EXPECT_THAT(error("1=1"), HasSubstr("position 1"));
  EXPECT_THAT(error("ORDER BY Customer"), HasSubstr("position 10"));
  EXPECT_THAT(error("GROUP BY ExecutionStatus"), HasSubstr("position 10"));
  EXPECT_THAT(find("WorkflowId = 'a'' OR 1=1 --'"), IsEmpty());
  EXPECT_THAT(error("`x') OR 1=1 --` = 'a'"), HasSubstr("not a valid search attribute"));
  EXPECT_THAT(find(""), ElementsAre("a"));
}

TEST_F(IndexTest, WhatMayBeNestedIsWithinSqlitesReach) {
  apply(info("a", 1));
  std::string nots, nested = "HistoryLength >= 0";
  for (int i = 0; i < Index::kMaxQueryDepth - 1; ++i) {
    nots += "NOT ";
    nested = (i % 2 == 0 ? "WorkflowId = 'x' OR (" : "RunId != 'x' AND (") + nested + ")";
  }
  EXPECT_TRUE(index_->list({.namespace_id = "ns", .query = nots + "WorkflowId = 'a'"}));
  EXPECT_TRUE(index_->list({.namespace_id = "ns", .query = nested}));
}

TEST_F(IndexTest, PagesHoldEveryRunOnceWhateverTheOrder) {
  for (int i = 0; i < 25; ++i) {
    apply(info(
        "w" + std::to_string(i), 100 + i / 3, i % 2 == 0 ? 0 : 200 + i / 4,
        i % 2 == 0 ? enums::WORKFLOW_EXECUTION_STATUS_RUNNING : enums::WORKFLOW_EXECUTION_STATUS_COMPLETED));
  }
  for (const char* query :
       {"", "ORDER BY StartTime DESC, WorkflowId ASC", "ORDER BY ParentWorkflowId", "ORDER BY CloseTime",
        "ORDER BY StartTime, CloseTime DESC, StartTime DESC, WorkflowId"}) {
    const std::vector<std::string> whole = find(query);
    std::vector<std::string> pages;
    std::string token;
    int calls = 0;
    do {
      auto page = index_->list({.namespace_id = "ns", .query = query, .page_size = 4, .page_token = token});
      ASSERT_TRUE(page) << page.error().to_string();
      EXPECT_LE(page->executions.size(), 4u);
      for (const Info& info : page->executions) pages.push_back(info.execution().workflow_id());
      token = page->next_page_token;
    } while (!token.empty() && ++calls < 20);
    EXPECT_EQ(whole.size(), 25u);
    EXPECT_EQ(pages, whole) << query;
  }
  const std::string token = index_->list({.namespace_id = "ns", .page_size = 1})->next_page_token;
  for (const std::string& bad :
       {token + "x", std::string("nonsense"), token.substr(0, 20), std::string(1000, ';')}) {
    EXPECT_EQ(index_->list({.namespace_id = "ns", .page_token = bad}).error().code(), Code::kInvalidArgument);
  }
  EXPECT_FALSE(index_->list({.namespace_id = "ns", .query = "RunId = 'r'", .page_token = token}));
  EXPECT_FALSE(index_->list({.namespace_id = "other", .page_token = token}));
}

// The slow query stands still until the others are done.
TEST_F(IndexTest, ASlowListHoldsUpNeitherTheFeedNorOtherLists) {
  std::vector<Entry> entries;
  for (int i = 0; i < 3000; ++i) {
    const Info run = info("w" + std::to_string(i), 1 + i);
    entries.push_back({++sequence_, {.namespace_id = "ns", .info = run.SerializeAsString()}});
  }
  ASSERT_TRUE(index_->apply(entries).ok());
  std::promise<void> entered, leave;
  bool first = true;
  const auto wait = [&] {
    if (std::exchange(first, false)) {
      entered.set_value();
      leave.get_future().wait();
    }
    return true;
  };
  std::string query = "HistoryLength < 0";
  for (int i = 0; i < 50; ++i) query += " OR HistoryLength < 0";
  const ListRequest slow{.namespace_id = "ns", .query = query, .stop = wait};
  auto running = std::async(std::launch::async, [&] {
    auto result = index_->count(slow);
    if (first) entered.set_value();  // nobody asked
    return result;
  });
  entered.get_future().wait();
  apply(info("later", 5000));
  EXPECT_THAT(find("WorkflowId = 'later'"), ElementsAre("later"));
  leave.set_value();
  const auto stopped = running.get();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Code::kCancelled);
  EXPECT_EQ(index_->count({.namespace_id = "ns", .query = query})->count, 0u);
}

TEST_F(IndexTest, Counts) {
  for (int i = 0; i < 7; ++i) {
    apply(info(std::to_string(i), i + 1, i < 5 ? 0 : 50,
               i < 5 ? enums::WORKFLOW_EXECUTION_STATUS_RUNNING : enums::WORKFLOW_EXECUTION_STATUS_FAILED));
  }
  EXPECT_EQ(index_->count({.namespace_id = "ns"})->count, 7u);
  EXPECT_EQ(index_->count({.namespace_id = "ns", .query = "ExecutionStatus = 'Failed'"})->count, 2u);
  const auto groups = index_->count({.namespace_id = "ns", .query = "GROUP BY ExecutionStatus"});
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->groups.size(), 2u);
  EXPECT_EQ(groups->groups[0].value, "Running");
  EXPECT_EQ(groups->groups[0].count, 5u);
  EXPECT_FALSE(index_->count({.namespace_id = "ns", .query = "GROUP BY WorkflowType"}));
}

TEST_F(IndexTest, ARepeatedFeedChangesNothingAndTheIndexRemembersItsPlace) {
  apply(info("a", 1));
  apply(info("b", 2));
  open();
  EXPECT_EQ(index_->applied(), 2u);
  const Entry again[] = {{1, {.namespace_id = "ns", .info = info("a", 1, 9).SerializeAsString()}},
                         {3, {.namespace_id = "ns", .info = info("c", 3).SerializeAsString()}}};
  ASSERT_TRUE(index_->apply(again).ok());
  EXPECT_EQ(index_->applied(), 3u);
  EXPECT_THAT(find(""), ElementsAre("c", "b", "a"));
  EXPECT_EQ(index_->flush().value(), 3u);
  const Entry gone{4, {.namespace_id = "ns", .run_id = "run-b"}};
  ASSERT_TRUE(index_->apply({&gone, 1}).ok());
  EXPECT_THAT(find(""), ElementsAre("c", "a"));
}

TEST_F(IndexTest, AFailedBatchLeavesNothingBehind) {
  apply(info("a", 1));
  const Entry batch[] = {{2, {.namespace_id = "ns", .info = info("b", 2).SerializeAsString()}},
                         {3, {.namespace_id = "ns", .info = "\xff\xff not a record"}}};
  EXPECT_FALSE(index_->apply(batch).ok());
  EXPECT_EQ(index_->applied(), 1u);
  EXPECT_THAT(find(""), ElementsAre("a"));
}

TEST_F(IndexTest, AnInterruptedRebuildCountsAsNone) {
  const Record record{.namespace_id = "ns", .info = info("a", 1).SerializeAsString()};
  const Record gone_since{.namespace_id = "ns", .info = info("gone", 1).SerializeAsString()};
  ASSERT_TRUE(index_->start_load().ok());
  ASSERT_TRUE(index_->load({&gone_since, 1}).ok());
  open();
  EXPECT_EQ(index_->applied(), 0u);
  ASSERT_TRUE(index_->start_load().ok());
  ASSERT_TRUE(index_->load({&record, 1}).ok());
  ASSERT_TRUE(index_->finish_load(0).ok());
  open();
  EXPECT_EQ(index_->applied(), 1u);
  EXPECT_THAT(find(""), ElementsAre("a"));
}

// The executions are read after the entries were written: what these say is older, or the same.
TEST_F(IndexTest, EntriesFromBeforeARebuildAreNotAppliedOverIt) {
  const Info closed = info("a", 1, 9, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  const Record record{.namespace_id = "ns", .info = closed.SerializeAsString()};
  ASSERT_TRUE(index_->start_load().ok());
  ASSERT_TRUE(index_->load({&record, 1}).ok());
  ASSERT_TRUE(index_->finish_load(3).ok());
  const Entry old{3, {.namespace_id = "ns", .info = info("a", 1).SerializeAsString()}};
  ASSERT_TRUE(index_->apply({&old, 1}).ok());
  EXPECT_THAT(find("ExecutionStatus = 'Completed'"), ElementsAre("a"));
  ASSERT_TRUE(index_->start_load().ok());
  EXPECT_EQ(index_->applied(), 0u);
  EXPECT_THAT(find(""), IsEmpty());
}

TEST_F(IndexTest, ADamagedFileBecomesAnEmptyIndexToBeFedAgain) {
  apply(info("a", 1));
  index_.reset();
  std::ofstream(dir_ + "/visibility.db", std::ios::trunc) << std::string(8192, 'x');
  fs::remove(dir_ + "/visibility.db-wal");
  open();
  EXPECT_EQ(index_->applied(), 0u);
  EXPECT_THAT(find(""), IsEmpty());
  apply(info("a", 1));
  EXPECT_THAT(find(""), ElementsAre("a"));
}

}  // namespace
}  // namespace holdfast::visibility
