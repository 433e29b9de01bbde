// Goal: large outputs, memory, many tools and skills work in whole runs. Method: a real engine, real stores,
// and a scripted model that is told of a tool only when it has found it, and that answers from what it read.

#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// GET of the receiver, with room for large answers.
std::string fetch_tool(const Platform& p) {
  return "    - name: fetch\n      type: http\n      parameters: {properties: {}}\n      http: {url: \"" +
         p.receiver->url("/report") + "\", max_response_bytes: 8388608}\n";
}

std::string report() {
  std::string out;
  for (int i = 1; i <= 100'000; ++i) out += "row " + std::to_string(i) + "\n";
  return out + "total: 4711 EUR\n";
}

TEST(LargeOutput, IsKeptWholeAndReadByTheModel) {
  Platform p(R"(
replies:
  - when: {turn: 0, tool: read_output}
    tool_calls: [{name: fetch, arguments: {}}]
  - when: {turn: 1, last: 'output ([0-9a-f]{16})'}
    tool_calls:
      - {name: read_output, arguments: {output: '{{last.1}}', search: total}}
      - {name: read_output, arguments: {output: '{{last.1}}', line: 50000, lines: 1}}
      - {name: read_output, arguments: {output: 'aaaaaaaaaaaaaaaa'}}
  - when: {turn: 2}
    text: The total is 4711 EUR.
)");
  p.receiver->answer = [](int) { return std::pair<int, std::string>(200, report()); };
  p.deploy("large", "  limits: {max_tool_output_bytes: 2000}", fetch_tool(p));
  auto run = p.start("large", "What is the total?");
  EXPECT_EQ(p.finish(run).output, "The total is 4711 EUR.");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              AllOf(Contains(AllOf(HasSubstr("in 100002 lines"), HasSubstr("row 1\n"),
                                   HasSubstr("total: 4711"), SizeIs(testing::Lt(2100u)))),
                    Contains(AllOf(HasSubstr("\"line\":100001"), HasSubstr("total: 4711 EUR"))),
                    Contains("tool: [lines from 50000 on]\nrow 50000\n"),
                    Contains(HasSubstr("Error: there is no output aaaaaaaaaaaaaaaa"))));
  std::string sha256;
  for (const platform::Event& event : p.events(run.workflow_id())) {
    const Json data = Json::parse(event.data);
    if (data.contains("output") && data["output"].is_object()) sha256 = data["output"].value("sha256", "");
  }
  const auto blob = p.store().blob(run.workflow_id(), "", sha256);
  ASSERT_TRUE(blob) << blob.error().message();
  EXPECT_EQ(*p.store().read_blob(blob->sha256, 0, 4 << 20), report());
  auto history = run.history_json();
  EXPECT_LT(history->size(), 60'000u) << "none of it is in the history";
}

TEST(ManyTools, AModelFindsTheOneItNeedsAndCallsIt) {
  Platform p(R"(
replies:
  - when: {turn: 0, tool: issue_777}
    text: I was told of too much.
  - when: {turn: 0}
    tool_calls: [{name: issue_777, arguments: {text: too early}}, {name: search_tools, arguments: {query: 'issue 777'}}]
  - when: {turn: 1, tool: issue_777}
    tool_calls: [{name: issue_777, arguments: {text: found}}, {name: refund, arguments: {order_id: 7, amount: 1}}]
  - when: {turn: 2, tool: issue_777}
    text: Issued.
)");
  std::string tools;
  for (int i = 0; i < 900; ++i) {
    tools += "    - {name: issue_" + std::to_string(i) +
             ", type: http, effect: idempotent, description: Issues what belongs to " + std::to_string(i) +
             ", parameters: {properties: {text: {type: string}}}, http: {method: POST, url: \"" +
             p.receiver->url("/issue") + "\", body: {text: \"{text}\"}}}\n";
  }
  p.deploy("many",
           "  tools_loading: {mode: auto, pinned: [lookup]}\n"
           "  approvals: {rules: [{tool: refund, action: deny}]}",
           tools);
  auto run = p.start("many", "Issue 777");
  EXPECT_EQ(p.finish(run).output, "Issued.");
  EXPECT_THAT(p.receiver->bodies(), testing::ElementsAre(R"({"text":"found"})"));
  EXPECT_THAT(p.conversation(run.workflow_id()),
              AllOf(Contains(HasSubstr("`issue_777` is not loaded: find it with `search_tools` first")),
                    Contains(HasSubstr("`refund` is not loaded"))));
}

// What was found in a conversation is there when a later run goes on in it.
TEST(ManyTools, AConversationGoesOnWithWhatItFound) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: search_tools, arguments: {query: note}}]
  - when: {turn: 1, tool: note}
    text: Found it.
  - when: {turn: 2, tool: note}
    tool_calls: [{name: note, arguments: {text: again}}]
  - when: {turn: 3}
    text: Noted.
)");
  p.deploy("searching", "  tools_loading: search");
  auto first = p.start("searching", "Look");
  EXPECT_EQ(p.finish(first).output, "Found it.");
  agent::RunInput in;
  in.agent = "searching";
  in.input = "Note it";
  in.conversation = first.workflow_id();
  auto second =
      p.client().start(agent::kWorkflowType, StartOptions(p.run_id("searching-on"), agent::kAgentQueue), in);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(p.finish(*second).output, "Noted.");
  EXPECT_EQ(p.receiver->deliveries(), 1);
}

TEST(Memory, WhatOneRunStoresTheNextOneFinds) {
  Platform p(R"(
replies:
  - when: {turn: 0, last: remember}
    tool_calls: [{name: notes, arguments: {operation: store, name: delivery, text: Leave parcels with Mr Jansen}}]
  - when: {turn: 0, last: where}
    tool_calls:
      - {name: notes, arguments: {operation: search, query: parcel}}
      - {name: notes, arguments: {operation: search, query: parcel, subject: other}}
  - when: {turn: 1, last: stored}
    text: Remembered.
  - when: {turn: 1}
    text: With Mr Jansen.
)");
  p.deploy("remembers", {}, "    - {name: notes, type: memory, memory: {subject: customer-7}}\n");
  EXPECT_EQ(p.finish(p.start("remembers", "remember it")).output, "Remembered.");
  agent::RunInput in;
  in.agent = "remembers";
  in.input = "where do they go?";
  auto later =
      p.client().start(agent::kWorkflowType, StartOptions(p.run_id("remembers-2"), agent::kAgentQueue), in);
  ASSERT_TRUE(later);
  EXPECT_EQ(p.finish(*later).output, "With Mr Jansen.");
  EXPECT_THAT(p.conversation(later->workflow_id()),
              AllOf(Contains(AllOf(HasSubstr("Leave parcels with Mr Jansen"), HasSubstr("They are data"))),
                    Contains(HasSubstr("`subject` is not an argument of this tool"))));
  EXPECT_THAT(p.store().memories("customer-7", "", 10)->at(0).text, HasSubstr("Jansen"));
  platform::AuditRow row;
  row.actor = "operator";
  EXPECT_EQ(*p.store().erase_memory("customer-7", row), 1);
}

TEST(Skills, AreToldByNameAndLoadedWhenNamed) {
  Platform p(R"(
replies:
  - when: {turn: 0, tool: load_skill}
    tool_calls: [{name: load_skill, arguments: {name: refunds}}, {name: load_skill, arguments: {name: other}}]
  - when: {turn: 1}
    tool_calls: [{name: read_skill_file, arguments: {skill: refunds, file: forms/letter.md}}, {name: read_skill_file, arguments: {skill: refunds, file: ../../etc/passwd}}]
  - when: {turn: 2}
    text: Dear customer
)");
  p.deploy(
      "skilled",
      "  approvals: {default: deny}\n"
      "  skills:\n"
      "    - files:\n"
      "        SKILL.md: \"---\\nname: refunds\\ndescription: How refunds are made.\\n---\\nAsk first.\"\n"
      "        forms/letter.md: Dear customer\n"
      "        scripts/run.py: print(1)\n");
  auto run = p.start("skilled", "Write to the customer");
  EXPECT_EQ(p.finish(run).output, "Dear customer");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              AllOf(Contains(AllOf(HasSubstr("Ask first."), HasSubstr("forms/letter.md, scripts/run.py"),
                                   HasSubstr("cannot be run here"))),
                    Contains("tool: Dear customer"), Contains(HasSubstr("there is no skill `other`")),
                    Contains(HasSubstr("has no file"))));
}

}  // namespace
}  // namespace holdfast::e2e
