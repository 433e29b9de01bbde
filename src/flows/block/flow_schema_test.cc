// Goal: what the schema of flow files takes is what their reader takes. Method: all examples, the canonical
// form of flows of every type that runs, and a table of wrong files. What only a whole graph can show is
// marked.

#include "block/flow_schema.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "block/program.h"
#include "spec/json_schema.h"
#include "spec/yaml_reader.h"

namespace holdfast::flows {
namespace {

using ::testing::HasSubstr;

Json json_of(const std::string& text) {
  spec::YamlProblems problems("f");
  std::size_t nodes_left = spec::kMaxYamlNodes;
  Json out = spec::yaml_to_json(YAML::Load(text), problems, nodes_left);
  EXPECT_TRUE(problems.empty()) << problems.status().message();
  return out;
}

// Empty: it is taken.
std::string refused(const std::string& text) {
  static const Json schema = Json::parse(flow_schema());
  return spec::validate(schema, json_of(text)).value_or("");
}

std::string flow(const std::string& blocks, const std::string& more = "") {
  return fmt::format(
      "apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {{name: f}}\nspec:\n{}  blocks:\n"
      "    - {{id: begin, type: start}}\n{}",
      more, blocks);
}

TEST(FlowSchema, IsASchemaAndNamesEveryType) {
  const Json schema = Json::parse(flow_schema());
  EXPECT_EQ(spec::check_schema(schema), std::nullopt);
  const Json& types = schema["$defs"]["block"]["properties"]["type"]["enum"];
  EXPECT_EQ(types.size(), block_types().size());
  EXPECT_EQ(schema["$defs"]["block"]["allOf"].size(), block_types().size());
}

TEST(FlowSchema, TakesEveryExampleThatIsRead) {
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(HOLDFAST_EXAMPLES)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    if (text.find("\nkind: Flow\n") == std::string::npos) continue;
    ASSERT_TRUE(read_flow(text, entry.path().string())) << entry.path();
    EXPECT_EQ(refused(text), "") << entry.path();
    if (const auto program = read_program(text, "f", "/shop"))
      EXPECT_EQ(refused(canonical_json(*program)), "") << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 3);
}

const std::string kEvery = flow(
    R"(    - {id: find, type: sql, needs: [begin], with: {sql: {database: /shop.db, statement: "SELECT :id", read_only: false}, arguments: {id: "{{ input.id }}"}}}
    - {id: big, type: branch, needs: [find], with: {rules: [{name: large, when: "input.amount > 100"}]}}
    - {id: pause, type: wait, needs: [big.large], with: {duration: 90s}, name: Cool off, takes: 20ms}
    - id: pay
      type: http
      needs: [pause, big.otherwise]
      join: any
      retry: {attempts: 8, initial: 2s, backoff: 1.5, max_interval: 1m}
      timeout: 3s
      x-place: {x: 1}
      with: {http: {method: POST, url: "https://pay.example/refunds"}, effect: idempotent, arguments: {order: 1}}
      compensate: {http: {method: POST, url: "https://pay.example/back"}, effect: idempotent, timeout: 9s, retry: {attempts: 9}, arguments: {id: "{result.id}"}}
    - {id: odd, type: code, needs: [pay.error], with: {code: "return 1"}}
    - {id: both, type: join, join: any, needs: [pay, odd]}
    - {id: told, type: publish, needs: [both], with: {webhook: {url: "https://w.example/", secret_env: W}, arguments: {a: 1}}}
    - {id: mailed, type: publish, needs: [both], with: {email: {server: m.example, from: a@b.example, to: [c@d.example]}, arguments: {subject: s, text: t}}}
    - {id: made, type: transform, needs: [both], with: {value: {paid: "{{ blocks.pay }}"}}}
    - {id: kind, type: switch, needs: [made], with: {value: "{{ input.kind }}", cases: [{name: small, is: [1, 2]}, {name: big, is: 3}]}}
    - id: each
      type: map
      needs: [kind.small]
      with: {over: "{{ input.items }}", parallel: 4, errors: collect}
      blocks:
        - {id: one, type: transform, with: {value: "{{ item }}"}}
        - {id: asked, type: http, needs: [one], with: {http: {url: "https://x.example/"}, arguments: {}}}
    - id: again
      type: loop
      needs: [kind.big]
      with: {times: 9, until: "{{ last > 3 }}", first: 0, pause: 5s}
      blocks: [{id: more, type: transform, with: {value: "{{ last }}"}}]
    - {id: outside, type: http, needs: [kind.otherwise], async: {deadline: 2d}, with: {http: {method: POST, url: "https://x.example/"}, effect: idempotent, arguments: {}}}
    - {id: reply, type: respond, join: any, needs: [each, again, outside], with: {value: [1, null]}}
)",
    "  planner: V3\n  input: {type: object, required: [id]}\n  x-canvas: {zoom: 2}\n");

TEST(FlowSchema, TakesEveryTypeThatRunsAndItsCanonicalForm) {
  EXPECT_EQ(refused(kEvery), "");
  const auto program = read_program(kEvery, "f");
  ASSERT_TRUE(program) << program.error().message();
  EXPECT_EQ(refused(canonical_json(*program)), "");
}

TEST(FlowSchema, RefusesWhatTheReaderRefuses) {
  const std::string a = "    - {id: a, needs: [begin], ";
  for (const std::string& text : {
           flow(a + "type: htp}\n"),
           flow(a + "type: http, colour: red}\n"),
           flow(a + "type: code, with: {code: \"\"}}\n"),
           flow(a + "type: code, with: {cod: x}}\n"),
           flow(a + "type: code, with: {}}\n"),
           flow(a + "type: code, with: [x]}\n"),
           flow(a + "type: transform, with: {}}\n"),
           flow(a + "type: wait, with: {duration: soon}}\n"),
           flow(a + "type: wait, with: {}}\n"),
           flow(a + "type: join, with: {all: true}}\n"),
           flow(a + "type: branch}\n"),
           flow(a + "type: branch, with: {rules: []}}\n"),
           flow(a + "type: branch, with: {rules: [{name: done, when: \"true\"}]}}\n"),
           flow(a + "type: branch, with: {rules: [{name: x}]}}\n"),
           flow(a + "type: http, with: {arguments: {}}}\n"),
           flow(a + "type: http, with: {http: {method: GET}}}\n"),
           flow(a + "type: http, with: {http: {url: \"ftp://x\"}}}\n"),
           flow(a + "type: http, with: {http: {url: \"http://x\"}, effect: maybe}}\n"),
           flow(a + "type: sql, with: {sql: {database: /x}}}\n"),
           flow(a + "type: publish, with: {arguments: {}}}\n"),
           flow(a + "type: http, retry: {attempts: 0}}\n"),
           flow(a + "type: http, timeout: soon}\n"),
           flow(a + "type: code, with: {code: x}, compensate: {http: {url: \"http://x\"}}}\n"),
           flow(a + "type: http, with: {http: {method: POST, url: \"http://x\"}, effect: idempotent}, "
                    "compensate: {}}\n"),
           flow(a + "type: http, join: some}\n"),
           flow(a + "type: switch, with: {value: 1}}\n"),
           flow(a + "type: switch, with: {value: 1, cases: []}}\n"),
           flow(a + "type: switch, with: {value: 1, cases: [{name: x}]}}\n"),
           flow(a + "type: map, with: {over: 3}}\n"),
           flow(a + "type: map, blocks: [{id: b, type: transform, with: {value: 1}}]}\n"),
           flow(a + "type: map, with: {over: 3, parallel: 0}, blocks: [{id: b, type: transform, with: "
                    "{value: 1}}]}\n"),
           flow(a + "type: loop, with: {}, blocks: [{id: b, type: transform, with: {value: 1}}]}\n"),
           flow(a +
                "type: transform, with: {value: 1}, blocks: [{id: b, type: transform, with: {value: 1}}]}\n"),
           flow("    - {id: a-b, type: http, needs: [begin]}\n"),
           flow("    - {id: a, type: http}\n"),
           flow("    - {id: a, type: http, needs: [begin, begin]}\n"),
           flow("    - {id: a, type: start}\n"),
           flow("    - {type: http, needs: [begin]}\n"),
           flow("", "  planner: V9\n"),
           flow("", "  colour: red\n"),
           std::string("apiVersion: holdfast.dev/v2\nkind: Flow\nmetadata: {name: f}\nspec: {blocks: [{id: "
                       "a, type: start}]}\n"),
           std::string("apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: f}\nspec: {blocks: [{id: "
                       "a, type: start}]}\n"),
           std::string("apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {name: F}\nspec: {blocks: [{id: "
                       "a, type: start}]}\n"),
           std::string("apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {name: f}\nspec: {blocks: []}\n"),
           std::string("apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {name: f}\n"),
       }) {
    EXPECT_FALSE(read_program(text, "f")) << text;
    EXPECT_NE(refused(text), "") << text;
  }
}

// A file alone does not show it.
TEST(FlowSchema, LeavesTheGraphToTheReader) {
  for (const std::string& text : {
           flow("    - {id: a, type: http, needs: [begn]}\n"),
           flow("    - {id: a, type: http, needs: [a]}\n"),
           flow("    - {id: begin, type: http, needs: [begin]}\n"),
       }) {
    EXPECT_FALSE(read_flow(text, "f")) << text;
    EXPECT_EQ(refused(text), "") << text;
  }
}

}  // namespace
}  // namespace holdfast::flows
