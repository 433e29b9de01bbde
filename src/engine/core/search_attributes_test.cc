// Goal: a search attribute has one type, whoever gives it a value: names are registered in their namespace,
// and every way in refuses other names and other types, in Temporal's words. Method: calls to a core with a
// real store, also after a restart. The words are those of a real Temporal for the same calls.

#include "engine/search_attributes.h"

#include <gmock/gmock.h>

#include "api/operator_messages.h"
#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using testing::Driver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using M = api::Method;
using SearchAttributes = pb::common::v1::SearchAttributes;

constexpr auto kKeyword = enums::INDEXED_VALUE_TYPE_KEYWORD;
constexpr auto kInt = enums::INDEXED_VALUE_TYPE_INT;
constexpr auto kText = enums::INDEXED_VALUE_TYPE_TEXT;

void set(SearchAttributes* attributes, const std::string& name, const std::string& json) {
  auto& payload = (*attributes->mutable_indexed_fields())[name];
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(json);
}

ops::AddSearchAttributesRequest adding(const std::map<std::string, int>& names,
                                       const std::string& namespace_name = "default") {
  ops::AddSearchAttributesRequest request;
  request.set_namespace_(namespace_name);
  for (const auto& [name, type] : names)
    (*request.mutable_search_attributes())[name] = static_cast<enums::IndexedValueType>(type);
  return request;
}

ops::RemoveSearchAttributesRequest removing(const std::vector<std::string>& names) {
  ops::RemoveSearchAttributesRequest request;
  request.set_namespace_("default");
  for (const std::string& name : names) request.add_search_attributes(name);
  return request;
}

class SearchAttributesTest : public ::testing::Test {
 protected:
  void add(const std::map<std::string, int>& names) {
    d.call<ops::AddSearchAttributesResponse>(M::kAddSearchAttributes, adding(names));
  }
  std::string refused(const ops::AddSearchAttributesRequest& request) {
    return d.error(M::kAddSearchAttributes, request).message();
  }
  std::map<std::string, int> registered() {
    ops::ListSearchAttributesRequest request;
    request.set_namespace_("default");
    auto response = d.call<ops::ListSearchAttributesResponse>(M::kListSearchAttributes, request);
    EXPECT_EQ(response.system_attributes().at("WorkflowId"), kKeyword);
    EXPECT_EQ(response.system_attributes().at("TemporalChangeVersion"),
              enums::INDEXED_VALUE_TYPE_KEYWORD_LIST);
    return {response.custom_attributes().begin(), response.custom_attributes().end()};
  }
  static ws::StartWorkflowExecutionRequest starting(const std::string& id, const std::string& name,
                                                    const std::string& json) {
    return Driver::start_request(
        id, [&](auto& request) { set(request.mutable_search_attributes(), name, json); });
  }
  Status start_error(const std::string& name, const std::string& json) {
    const Status status = d.error(M::kStartWorkflowExecution, starting("refused", name, json));
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << name;
    return status;
  }
  // Completes a first workflow task with the command; "" or what was answered.
  std::string answer_to(const std::string& id, pb::command::v1::Command command) {
    d.start(id);
    auto pending = d.send(M::kRespondWorkflowTaskCompleted,
                          Driver::completion(d.workflow_task().task_token(), {std::move(command)}));
    return *pending->result ? "" : pending->result->error().message();
  }
  static pb::command::v1::Command upsert(const std::string& name, const std::string& json) {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
    set(command.mutable_upsert_workflow_search_attributes_command_attributes()->mutable_search_attributes(),
        name, json);
    return command;
  }
  static pb::command::v1::Command child(const std::string& name, const std::string& json) {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
    attributes.set_workflow_id("child of " + json);
    attributes.mutable_workflow_type()->set_name("order");
    attributes.mutable_task_queue()->set_name("other");
    set(attributes.mutable_search_attributes(), name, json);
    return command;
  }
  static pb::command::v1::Command next_run(const std::string& name, const std::string& json) {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_continue_as_new_workflow_execution_command_attributes();
    attributes.mutable_workflow_type()->set_name("order");
    attributes.mutable_task_queue()->set_name("other");
    set(attributes.mutable_search_attributes(), name, json);
    return command;
  }
  // The cause and the message of the failed task of a run.
  std::pair<enums::WorkflowTaskFailedCause, std::string> failed_task(const std::string& id) {
    for (const auto& event : d.history(id).events()) {
      if (!event.has_workflow_task_failed_event_attributes()) continue;
      const auto& failed = event.workflow_task_failed_event_attributes();
      EXPECT_TRUE(failed.failure().has_server_failure_info());
      return {failed.cause(), failed.failure().message()};
    }
    return {};
  }
  SearchAttributes described(const std::string& id) {
    ws::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    return d.call<ws::DescribeWorkflowExecutionResponse>(M::kDescribeWorkflowExecution, request)
        .workflow_execution_info()
        .search_attributes();
  }

  Driver d;
};

TEST_F(SearchAttributesTest, ARegistryIsKeptWithItsNamespace) {
  EXPECT_THAT(registered(), UnorderedElementsAre());
  add({{"Customer", kKeyword}, {"Amount", kInt}});
  add({{"Customer", kKeyword}, {"Note", kText}});
  ws::RegisterNamespaceRequest other;
  other.set_namespace_("other");
  other.mutable_workflow_execution_retention_period()->set_seconds(86400 * 3);
  d.call<ws::RegisterNamespaceResponse>(M::kRegisterNamespace, other);
  d.call<ops::AddSearchAttributesResponse>(M::kAddSearchAttributes, adding({{"Customer", kInt}}, "other"));
  d.crash();
  EXPECT_THAT(registered(),
              UnorderedElementsAre(Pair("Customer", kKeyword), Pair("Amount", kInt), Pair("Note", kText)));
  d.call<ops::RemoveSearchAttributesResponse>(M::kRemoveSearchAttributes, removing({"Amount", "Unheard"}));
  d.crash();
  EXPECT_THAT(registered(), UnorderedElementsAre(Pair("Customer", kKeyword), Pair("Note", kText)));
  add({{"Amount", kText}});
  EXPECT_EQ(registered().at("Amount"), kText);
}

TEST_F(SearchAttributesTest, WhatTheRegistryRefusesChangesNothing) {
  add({{"Customer", kKeyword}});
  EXPECT_EQ(refused(adding({})), "SearchAttributes are not set on request.");
  EXPECT_EQ(refused(adding({{"A", kInt}}, "")), "Namespace is empty.");
  EXPECT_EQ(refused(adding({{"A", kInt}, {"WorkflowId", kInt}})),
            "Search attribute WorkflowId is reserved by system.");
  EXPECT_EQ(refused(adding({{"BuildIds", kInt}})), "Search attribute BuildIds is reserved by system.");
  EXPECT_EQ(refused(adding({{"TemporalX", kInt}})), "Search attribute TemporalX is reserved by system.");
  EXPECT_EQ(refused(adding({{"A", kInt}, {"B", 77}})), "Unknown search attribute type: 77.");
  EXPECT_THAT(refused(adding({{"A", 0}})), HasSubstr("of type Unspecified"));
  EXPECT_THAT(refused(adding({{"", kInt}})), HasSubstr("not set"));
  EXPECT_THAT(refused(adding({{std::string(256, 'n'), kInt}})), HasSubstr("255 bytes"));
  const Status other = d.error(M::kAddSearchAttributes, adding({{"A", kInt}, {"Customer", kInt}}));
  EXPECT_EQ(other.code(), Code::kAlreadyExists);
  EXPECT_EQ(other.message(), "Search attribute Customer already exists.");
  EXPECT_EQ(d.error(M::kAddSearchAttributes, adding({{"A", kInt}}, "nowhere")).code(), Code::kNotFound);
  std::map<std::string, int> many;
  for (int i = 0; i < 100; ++i) many["A" + std::to_string(i)] = kInt;
  EXPECT_THAT(refused(adding(many)), HasSubstr("cannot have more than 100 search attributes"));
  EXPECT_THAT(d.error(M::kRemoveSearchAttributes, removing({"Customer", "WorkflowId"})).message(),
              "Unable to remove non-custom search attributes: WorkflowId.");
  EXPECT_EQ(d.error(M::kRemoveSearchAttributes, removing({})).message(),
            "SearchAttributes are not set on request.");
  EXPECT_THAT(registered(), ElementsAre(Pair("Customer", kKeyword)));
}

TEST_F(SearchAttributesTest, AStartHasValuesOfRegisteredNamesAndTypes) {
  add({{"Customer", kKeyword}, {"Amount", kInt}, {"Note", kText}});
  EXPECT_EQ(start_error("Unheard", "1").message(),
            "Namespace default has no mapping defined for search attribute Unheard");
  EXPECT_EQ(start_error("Customer", "5").message(),
            "invalid value for search attribute Customer of type Keyword: 5");
  EXPECT_EQ(start_error("WorkflowId", "\"x\"").message(),
            "WorkflowId attribute can't be set in SearchAttributes");
  EXPECT_EQ(start_error("BuildIds", "5").message(),
            "invalid value for search attribute BuildIds of type KeywordList: 5");
  EXPECT_EQ(start_error("Note", '"' + std::string(2047, 'x') + '"').message(),
            "search attribute Note value size 2049 exceeds size limit 2048");
  d.call<ws::StartWorkflowExecutionResponse>(M::kStartWorkflowExecution,
                                             starting("w", "Customer", "\"acme\""));
  EXPECT_EQ(described("w").indexed_fields().at("Customer").metadata().at("type"), "Keyword");
  // Nor does a start that would find its run.
  auto again = starting("w", "Unheard", "1");
  again.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  EXPECT_EQ(d.error(M::kStartWorkflowExecution, again).code(), Code::kInvalidArgument);
}

TEST_F(SearchAttributesTest, AreBoundedInNumberAndInAll) {
  std::map<std::string, int> texts;
  for (int i = 0; i < 30; ++i) texts["T" + std::to_string(i)] = kText;
  add(texts);
  const auto of = [](int count, std::size_t size) {
    return Driver::start_request("large", [&](auto& request) {
      for (int i = 0; i < count; ++i)
        set(request.mutable_search_attributes(), "T" + std::to_string(i), '"' + std::string(size, 'x') + '"');
    });
  };
  EXPECT_THAT(d.error(M::kStartWorkflowExecution, of(30, 2000)).message(),
              HasSubstr("exceeds size limit 40960"));
  d.call<ws::StartWorkflowExecutionResponse>(M::kStartWorkflowExecution, of(30, 1000));
  history::Limits limits;
  limits.search_attribute_keys = 2;
  history::stored::NamespaceRecord record;
  SearchAttributes three;
  for (const char* name : {"A", "B", "C"}) {
    (*record.mutable_search_attributes())[name] = kInt;
    set(&three, name, "1");
  }
  EXPECT_EQ(check_search_attributes(record, limits, &three).message(),
            "number of search attributes 3 exceeds limit 2");
}

TEST_F(SearchAttributesTest, EveryOtherWayToStartRefusesThem) {
  add({{"Customer", kKeyword}});
  d.start("there");
  for (const char* id : {"new", "there"}) {
    ws::SignalWithStartWorkflowExecutionRequest signal;
    signal.set_namespace_("default");
    signal.set_workflow_id(id);
    signal.set_signal_name("s");
    signal.mutable_workflow_type()->set_name("order");
    signal.mutable_task_queue()->set_name("q");
    set(signal.mutable_search_attributes(), "Customer", "5");
    const Status status = d.error(M::kSignalWithStartWorkflowExecution, signal);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_EQ(status.message(), "invalid value for search attribute Customer of type Keyword: 5");
    ws::ExecuteMultiOperationRequest both;
    both.set_namespace_("default");
    *both.add_operations()->mutable_start_workflow() = starting(id, "Unheard", "1");
    auto& update = *both.add_operations()->mutable_update_workflow();
    update = testing::change("u");
    update.mutable_workflow_execution()->set_workflow_id(id);
    update.mutable_request()->mutable_input()->set_name("change");
    EXPECT_EQ(d.error(M::kExecuteMultiOperation, both).code(), Code::kInvalidArgument);
  }
  EXPECT_THAT(d.events("there"), ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled"));
}

TEST_F(SearchAttributesTest, ABadCommandFailsItsTask) {
  add({{"Customer", kKeyword}, {"Amount", kInt}});
  constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  const std::string unheard =
      "BadSearchAttributes: Namespace default has no mapping defined for search attribute Unheard";
  const std::string mistyped = "invalid value for search attribute Amount of type Int: x";
  struct Case {
    pb::command::v1::Command command;
    std::string said;
  };
  const Case cases[] = {
      {upsert("Unheard", "1"), unheard},
      {child("Unheard", "1"), unheard},
      {next_run("Unheard", "1"), unheard},
      {upsert("Amount", "\"x\""), "BadSearchAttributes: " + mistyped},
      {child("Amount", "\"x\""),
       "BadSearchAttributes: invalid SearchAttributes on StartChildWorkflowCommand: " + mistyped},
      {next_run("Amount", "\"x\""),
       "BadSearchAttributes: invalid SearchAttributes on ContinueAsNewWorkflowExecutionCommand: " + mistyped},
  };
  int n = 0;
  for (const auto& [command, said] : cases) {
    const std::string id = "w" + std::to_string(n++);
    EXPECT_EQ(answer_to(id, command), said);
    EXPECT_EQ(failed_task(id), std::pair(kBad, said)) << id;
    EXPECT_TRUE(described(id).indexed_fields().empty());
    ws::TerminateWorkflowExecutionRequest terminate;
    terminate.set_namespace_("default");
    terminate.mutable_workflow_execution()->set_workflow_id(id);
    d.call<ws::TerminateWorkflowExecutionResponse>(M::kTerminateWorkflowExecution, terminate);
  }
}

TEST_F(SearchAttributesTest, GoodCommandsSayTheTypes) {
  add({{"Customer", kKeyword}, {"Amount", kInt}});
  EXPECT_EQ(answer_to("upsert", upsert("Amount", "3")), "");
  EXPECT_EQ(described("upsert").indexed_fields().at("Amount").metadata().at("type"), "Int");
  EXPECT_EQ(answer_to("chain", next_run("Customer", "\"n\"")), "");
  EXPECT_EQ(described("chain").indexed_fields().at("Customer").metadata().at("type"), "Keyword");
  EXPECT_EQ(answer_to("child", child("Customer", "\"c\"")), "");
  EXPECT_EQ(described("child of \"c\"").indexed_fields().at("Customer").metadata().at("type"), "Keyword");
}

TEST_F(SearchAttributesTest, TooLargeACommandEndsTheRun) {
  add({{"Note", kText}});
  const std::string large = '"' + std::string(3000, 'x') + '"';
  EXPECT_EQ(answer_to("w", upsert("Note", large)),
            "BadSearchAttributes: search attribute Note value size 3002 exceeds size limit 2048");
  EXPECT_EQ(d.events("w").back(), "WorkflowExecutionTerminated");
}

}  // namespace
}  // namespace holdfast::engine
