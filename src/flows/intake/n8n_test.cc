// Goal: an export of n8n becomes a flow that can be read, and whatever of it has no counterpart is told.
// Method: small exports of our own in the shapes that n8n writes.

#include "intake/n8n.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/program.h"
#include "intake/flow_text.h"
#include "intake/n8n_expression.h"
#include "spec/yaml_reader.h"

namespace holdfast::flows {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Ordered = nlohmann::ordered_json;

std::string node(const std::string& name, const std::string& type, const std::string& parameters = "{}",
                 const std::string& more = "") {
  return R"({"name": ")" + name + R"(", "type": ")" + type +
         R"(", "typeVersion": 2, "position": [0, 20], "parameters": )" + parameters + more + "}";
}

std::string to(const std::string& name) {
  return R"({"node": ")" + name + R"(", "type": "main", "index": 0})";
}

std::string workflow(const std::string& nodes, const std::string& connections, const std::string& more = "") {
  return R"({"name": "My Orders", "nodes": [)" + nodes + R"(], "connections": {)" + connections + "}" + more +
         "}";
}

ImportedFlow imported(const std::string& text) {
  auto out = import_n8n(text, "export.json", "");
  EXPECT_TRUE(out) << out.error().message();
  return out ? *std::move(out) : ImportedFlow();
}

std::vector<std::string> notes_of(const ImportedFlow& flow, ImportNote::Kind kind) {
  std::vector<std::string> out;
  for (const ImportNote& one : flow.notes) {
    if (one.kind == kind) out.push_back(one.of + ": " + one.what);
  }
  return out;
}

Json block_of(const ImportedFlow& flow, const std::string& id) {
  spec::YamlProblems problems("f");
  std::size_t nodes = spec::kMaxYamlNodes;
  const Json document = spec::yaml_to_json(YAML::Load(flow.yaml), problems, nodes);
  for (const Json& one : document["spec"]["blocks"]) {
    if (one["id"] == id) return one;
  }
  ADD_FAILURE() << "no block " << id << " in\n" << flow.yaml;
  return Json::object();
}

const std::string kHook =
    node("Webhook", "n8n-nodes-base.webhook", R"({"path": "orders", "httpMethod": "POST"})");

TEST(N8n, AChainBecomesAFlowThatRuns) {
  const ImportedFlow flow = imported(workflow(
      kHook + "," +
          node(
              "Get Order", "n8n-nodes-base.httpRequest",
              R"({"url": "=https://shop.example/orders/{{ $json.body.id }}", "options": {"timeout": 100}})",
              R"(, "retryOnFail": true, "maxTries": 4, "credentials": {"httpHeaderAuth": {"id": "1", "name": "Shop"}})") +
          "," +
          node(
              "Is Large?", "n8n-nodes-base.if",
              R"({"conditions": {"combinator": "and", "conditions": [{"leftValue": "={{ $json.total }}", "rightValue": 100, "operator": {"type": "number", "operation": "gt"}}]}})") +
          "," +
          node(
              "Tell", "n8n-nodes-base.httpRequest",
              R"({"method": "POST", "url": "https://chat.example/hook", "sendBody": true, "bodyParameters": {"parameters": [{"name": "text", "value": "=Order {{ $('Get Order').item.json.id }} of {{ $json.total }}"}]}})") +
          "," +
          node("Reply", "n8n-nodes-base.respondToWebhook",
               R"({"respondWith": "json", "responseBody": "={{ $json }}"})"),
      R"("Webhook": {"main": [[)" + to("Get Order") + R"(]]}, "Get Order": {"main": [[)" + to("Is Large?") +
          R"(]]}, "Is Large?": {"main": [[)" + to("Tell") + "], [" + to("Reply") +
          R"(]]}, "Tell": {"main": [[)" + to("Reply") + "]]}",
      R"(, "settings": {"timezone": "Europe/Berlin"}, "pinData": {}, "versionId": "x")"));
  EXPECT_EQ(flow.name, "my-orders");
  const auto program = read_program(flow.yaml, "f");
  ASSERT_TRUE(program) << program.error().message() << "\n" << flow.yaml;
  EXPECT_EQ(flow.nodes, 4U);
  EXPECT_EQ(flow.left_out, 0U);
  const Json get = block_of(flow, "get_order");
  EXPECT_EQ(get["with"]["http"]["url"], "https://shop.example/orders/{part_1}");
  EXPECT_EQ(get["with"]["arguments"]["part_1"], "{{ input.body.id }}");
  EXPECT_EQ(get["retry"]["attempts"], 4);
  EXPECT_EQ(block_of(flow, "is_large")["with"]["rules"][0]["when"], "{{ (blocks.get_order.total) > 100 }}");
  const Json tell = block_of(flow, "tell");
  EXPECT_EQ(tell["needs"], Json::array({"is_large.yes"}));
  EXPECT_EQ(tell["with"]["arguments"]["payload"]["text"],
            "Order {{ blocks.get_order.id }} of {{ blocks.get_order.total }}");
  EXPECT_EQ(tell["with"]["effect"], "at_most_once");
  const Json reply = block_of(flow, "reply");
  EXPECT_EQ(reply["join"], "any");
  EXPECT_EQ(reply["with"]["value"], "{{ (blocks.tell ?? blocks.get_order) }}");
  const auto left_out = notes_of(flow, ImportNote::Kind::kLeftOut);
  EXPECT_THAT(left_out, Contains(HasSubstr("Get Order: the credential `Shop` (httpHeaderAuth)")));
  EXPECT_THAT(left_out, Contains(HasSubstr("Get Order: the parameter `options`: {\"timeout\":100}")));
  EXPECT_THAT(left_out, Contains(HasSubstr(": `settings`: {\"timezone\"")));
}

TEST(N8n, WhatHasNoCounterpartFailsAndKeepsWhatItSaid) {
  const ImportedFlow flow = imported(workflow(
      node("Start", "n8n-nodes-base.manualTrigger") + "," +
          node("Sheet", "n8n-nodes-base.googleSheets", R"({"sheetId": "abc"})",
               R"(, "onError": "continueErrorOutput")") +
          "," + node("Py", "n8n-nodes-base.code", R"({"language": "python", "pythonCode": "return items"})") +
          "," +
          node(
              "Now", "n8n-nodes-base.set",
              R"({"keepOnlySet": true, "assignments": {"assignments": [{"name": "at", "value": "={{ $now.toISO() }}"}]}})") +
          "," + node("Off", "n8n-nodes-base.noOp", "{}", R"(, "disabled": true)") + "," +
          node("Alone", "n8n-nodes-base.noOp") + "," +
          node("Note", "n8n-nodes-base.stickyNote", R"({"content": "Read me"})"),
      R"("Start": {"main": [[)" + to("Sheet") + R"(]]}, "Sheet": {"main": [[)" + to("Now") + "], [" +
          to("Py") + R"(]]}, "Now": {"main": [[)" + to("Off") + R"(]]}, "Off": {"main": [[)" + to("Sheet") +
          R"(]]}, "Ghost": {"main": [[]]})"));
  ASSERT_TRUE(read_program(flow.yaml, "f")) << flow.yaml;
  EXPECT_EQ(flow.left_out, 2U);
  const Json sheet = block_of(flow, "sheet");
  EXPECT_THAT(sheet["with"]["code"], HasSubstr("throw new Error"));
  EXPECT_EQ(sheet["x-n8n"]["parameters"]["sheetId"], "abc");
  EXPECT_EQ(block_of(flow, "py")["needs"], Json::array({"sheet.error"}));
  EXPECT_THAT(block_of(flow, "now")["with"]["value"]["at"], HasSubstr("not imported: $now"));
  const auto left_out = notes_of(flow, ImportNote::Kind::kLeftOut);
  for (const char* told :
       {"Sheet: there is no counterpart", "Py: code in python", "Now: `$now` in an expression",
        "Off: the way back to `Sheet`", "Alone: nothing leads to it",
        "Note: a note on the canvas: \"Read me\"", "a connection of `Ghost`"})
    EXPECT_THAT(left_out, Contains(HasSubstr(told)));
  EXPECT_THAT(flow.yaml, HasSubstr("x-n8n-unconnected"));
}

TEST(N8n, OlderFormsAreRead) {
  const ImportedFlow flow = imported(workflow(
      node("When", "n8n-nodes-base.cron") + "," +
          node(
              "Set", "n8n-nodes-base.set",
              R"({"values": {"string": [{"name": "a", "value": "x"}], "number": [{"name": "n", "value": 2}]}})") +
          "," +
          node(
              "Which", "n8n-nodes-base.switch",
              R"({"dataType": "string", "value1": "={{$json[\"a\"]}}", "rules": {"rules": [{"value2": "x"}, {"value2": "y", "output": 1}]}, "fallbackOutput": 3})") +
          "," +
          node("F", "n8n-nodes-base.function",
               R"js({"functionCode": "items[0].json.b = $node[\"Set\"].json.n;\nreturn items;"})js") +
          "," + node("W", "n8n-nodes-base.wait", R"({"amount": 3, "unit": "minutes"})"),
      R"("When": {"main": [[)" + to("Set") + R"(]]}, "Set": {"main": [[)" + to("Which") +
          R"(]]}, "Which": {"main": [[)" + to("F") + "], null, [], [" + to("W") + "]]}"));
  const auto program = read_program(flow.yaml, "f");
  ASSERT_TRUE(program) << program.error().message() << "\n" << flow.yaml;
  EXPECT_THAT(block_of(flow, "set")["with"]["code"], HasSubstr("...(input)"));
  EXPECT_EQ(block_of(flow, "which")["with"]["rules"][0]["when"], R"({{ (blocks.set["a"]) === "x" }})");
  EXPECT_EQ(block_of(flow, "f")["needs"], Json::array({"which.way_0"}));
  EXPECT_THAT(block_of(flow, "f")["with"]["code"], HasSubstr("items[0].json.b = blocks.set.n;"));
  EXPECT_EQ(block_of(flow, "w")["with"]["duration"], "3m");
}

TEST(N8n, AnAgentBecomesAFileOfItsOwn) {
  const ImportedFlow flow = imported(workflow(
      node("Chat", "@n8n/n8n-nodes-langchain.chatTrigger") + "," +
          node(
              "AI Agent", "@n8n/n8n-nodes-langchain.agent",
              R"({"promptType": "define", "text": "={{ $json.chatInput }}", "options": {"systemMessage": "Be kind."}})") +
          "," +
          node("Model", "@n8n/n8n-nodes-langchain.lmChatOpenAi",
               R"({"model": {"__rl": true, "value": "gpt-4.1", "mode": "list"}})") +
          "," + node("Lookup", "@n8n/n8n-nodes-langchain.toolHttpRequest", R"({"url": "https://x.example"})"),
      R"("Chat": {"main": [[)" + to("AI Agent") +
          R"(]]}, "Model": {"ai_languageModel": [[{"node": "AI Agent", "type": "ai_languageModel", "index": 0}]]}, "Lookup": {"ai_tool": [[{"node": "AI Agent", "type": "ai_tool", "index": 0}]]})"));
  ASSERT_EQ(flow.agents.size(), 1U);
  EXPECT_EQ(flow.agents[0].first, "ai-agent.yaml");
  EXPECT_THAT(flow.agents[0].second, HasSubstr("gpt-4.1"));
  EXPECT_THAT(flow.agents[0].second, HasSubstr("Be kind."));
  EXPECT_EQ(block_of(flow, "ai_agent")["with"]["arguments"]["input"], "{{ input.chatInput }}");
  EXPECT_THAT(notes_of(flow, ImportNote::Kind::kLeftOut),
              Contains(HasSubstr("`Lookup` (@n8n/n8n-nodes-langchain.toolHttpRequest)")));
}

TEST(N8n, RefusesWhatIsNoExport) {
  for (const std::string& text :
       {std::string("["), std::string("[]"), std::string("{}"), std::string(R"({"nodes": 1})"),
        std::string(R"({"nodes": [1]})"), std::string(R"({"nodes": [{"name": "a"}]})"),
        workflow(node("a", "b.c") + "," + node("a", "b.c"), ""), std::string(200, '[')})
    EXPECT_FALSE(import_n8n(text, "e", "")) << text;
}

// Whatever the types of its members are: it is read or refused.
TEST(N8n, StandsForeignTypes) {
  for (const char* value : {"1", "null", "true", "\"x\"", "[1]", "{\"a\": [null]}"}) {
    for (const char* type : {"if", "switch", "set", "code", "httpRequest", "wait", "merge", "filter",
                             "postgres", "respondToWebhook", "stopAndError"}) {
      for (const char* key : {"conditions", "rules", "assignments", "values", "fields", "jsCode", "url",
                              "amount", "mode", "query", "responseBody", "bodyParameters", "jsonBody",
                              "queryParameters", "errorMessage", "method"}) {
        const std::string one = R"({"name": "x", "type": "n8n-nodes-base.)" + std::string(type) +
                                R"(", "typeVersion": )" + value + R"(, "disabled": )" + value +
                                R"(, "maxTries": )" + value + R"(, "retryOnFail": true, "credentials": )" +
                                value + R"(, "parameters": {")" + key + "\": " + value + "}}";
        const auto out = import_n8n(R"({"nodes": [)" + one + R"(], "connections": )" + value + "}", "e", "");
        EXPECT_TRUE(out) << out.error().message();
      }
    }
  }
}

TEST(N8nExpression, IsReadAsText) {
  N8nNames names;
  names.json = "blocks.a";
  names.workflow = "W";
  names.node = [](std::string_view name) {
    return name == "B c" ? std::optional<std::string>("blocks.b_c") : std::nullopt;
  };
  const auto code = [&](std::string_view text) { return convert_code(text, names).code; };
  EXPECT_EQ(code("$json.x + $input.first().json.y"), "blocks.a.x + blocks.a.y");
  EXPECT_EQ(code("$('B c').item.json.x"), "blocks.b_c.x");
  EXPECT_EQ(code("$node[\"B c\"].json[\"x\"]"), "blocks.b_c[\"x\"]");
  EXPECT_EQ(code("$input.all().map(i => i.json)"), "[{json: blocks.a}].map(i => i.json)");
  EXPECT_EQ(code("'$json' + \"$json\" // $json\n+ $json"), "'$json' + \"$json\" // $json\n+ blocks.a");
  EXPECT_EQ(code("`it's ${$json.x} {$json}` + $json"), "`it's ${blocks.a.x} {$json}` + blocks.a");
  EXPECT_EQ(code("{...$json}"), "{...blocks.a}");
  EXPECT_EQ(code("$workflow.name"), "\"W\"");
  EXPECT_THAT(convert_code("$('Nobody').item.json.x", names).unknown, ::testing::ElementsAre("$('Nobody')"));
  EXPECT_THAT(convert_code("$env.KEY + $now", names).unknown, ::testing::ElementsAre("$env", "$now"));
  EXPECT_EQ(convert_value("{{ no }}", names).text, "{{ \"{{\" }} no }}");
  EXPECT_EQ(convert_value("={{ {a: {b: 1}} }}", names).text, "{{ {a: {b: 1}} }}");
  EXPECT_EQ(convert_value("=x {{ $json.y }}", names).code, "\"x \" + (blocks.a.y)");
}

TEST(FlowText, ReadsBackAsTheSame) {
  const Ordered value = Ordered::parse(
      R"({"a": 1, "b": {"long": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "yes": "no", "t": "one\n  two\n"},
          "c": [{"code": "a\nb", "n": null}, [], {}, [1, "x: y", "- z"]], "d": "tail \nx", "e": "\u0001", "f": "a\n\n", "g": ["long\ntext", {"h": "i\n"}]})");
  const std::string text = flow_text(value);
  spec::YamlProblems problems("f");
  std::size_t nodes = spec::kMaxYamlNodes;
  EXPECT_EQ(spec::yaml_to_json(YAML::Load(text), problems, nodes), Json(value)) << text;
}

// Whatever the width of a value is: on its line, or below it.
TEST(FlowText, BreaksLinesWhereTheyEnd) {
  for (std::size_t width = 1; width < 160; ++width) {
    const Ordered value = {
        {"a", {{"key", Ordered{{"b", std::string(width, 'x')}, {"c", Ordered::array({1, "y z"})}}}}}};
    spec::YamlProblems problems("f");
    std::size_t nodes = spec::kMaxYamlNodes;
    EXPECT_EQ(spec::yaml_to_json(YAML::Load(flow_text(value)), problems, nodes), Json(value)) << width;
  }
}

}  // namespace
}  // namespace holdfast::flows
