// A definition written in C++ (holdfast/agent.h) is the very version that the same one in YAML is.

#include "holdfast/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/deploy.h"

namespace holdfast::agent {
namespace {

constexpr const char* kYaml = R"yaml(
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {name: refunds, description: Pays orders back.}
spec:
  model: {provider: openai, name: gpt-4o-mini, api_key_env: OPENAI_API_KEY}
  prompt: You settle refunds.
  tools:
    - name: find_order
      type: sql
      description: One order.
      parameters: {properties: {order_id: {type: integer, minimum: 1}, note: {type: string}}, required: [order_id]}
      sql: {database: shop.db, statement: "SELECT :order_id, :note"}
    - name: tell
      type: http
      effect: idempotent
      description: Tells.
      http: {method: POST, url: "https://example.com/hook"}
  approvals:
    default: deny
    rules:
      - {tool: find_order, action: allow}
      - {tool: tell, action: ask, reason: A person looks.}
  limits: {max_iterations: 12}
)yaml";

AgentFile in_cpp() {
  AgentFile out("refunds");
  out.description("Pays orders back.").model("openai", "gpt-4o-mini").prompt("You settle refunds.");
  out.set("spec.model.api_key_env", "OPENAI_API_KEY");
  out.tool(AgentTool("find_order", "sql")
               .description("One order.")
               .argument("order_id", {{"type", "integer"}, {"minimum", 1}})
               .argument("note", "string", false)
               .set("sql.database", "shop.db")
               .set("sql.statement", "SELECT :order_id, :note"));
  out.tool(AgentTool("tell", "http")
               .description("Tells.")
               .effect("idempotent")
               .set("http.method", "POST")
               .set("http.url", "https://example.com/hook"));
  out.set("spec.approvals.default", "deny").allow("find_order");
  out.ask("tell", {}, "A person looks.");
  return out.set("spec.limits.max_iterations", 12);
}

TEST(AgentFile, SaysWhatTheSameFileSays) {
  const auto file = read_definition(kYaml, "agent.yaml", "/srv");
  ASSERT_TRUE(file) << file.error().message();
  const auto code = read_definition(in_cpp().text(), "-", "/srv");
  ASSERT_TRUE(code) << code.error().message();
  EXPECT_EQ(canonical_json(*code), canonical_json(*file));
}

TEST(AgentFile, MistakesAreToldByTheReader) {
  AgentFile wrong("Bad Name");
  wrong.set("spec.modle", 1).deny("nobody", "amount >");
  const auto read = read_definition(wrong.text(), "-", "/srv");
  ASSERT_FALSE(read);
  for (const char* part : {"metadata.name", "modle", "there is no tool `nobody`", "amount >"})
    EXPECT_THAT(read.error().message(), ::testing::HasSubstr(part));
}

}  // namespace
}  // namespace holdfast::agent
