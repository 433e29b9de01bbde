// Goal: an author of agent.yaml gets every mistake at once, with its place and its remedy, and a correct file
// has one canonical form. Method: whole files through parse_definition; messages compared literally where the
// wording matters.

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kRefund = R"(apiVersion: holdfast.dev/v1
kind: Agent
metadata:
  name: refund
spec:
  model:
    provider: openai
    name: scripted
    base_url: http://127.0.0.1:1
    retry: {attempts: 4}
  prompt: |
    You handle refunds.
  tools:
    - name: find_order
      type: sql
      description: Finds an order.
      parameters:
        properties:
          order_id: {type: integer}
        required: [order_id]
      sql:
        database: shop.db
        statement: SELECT * FROM orders WHERE id = :order_id
    - name: notify
      type: http
      effect: idempotent
      parameters:
        properties:
          channel: {type: string}
          text: {type: string}
      http:
        method: POST
        url: http://127.0.0.1:2/hook/{channel}
        headers: {X-Token: "${TOKEN}"}
        body: {text: "{text}"}
    - name: refund
      type: sql
      parameters:
        properties: {order_id: {type: integer}, amount: {type: number, minimum: 0}}
        required: [order_id, amount]
      sql:
        database: shop.db
        read_only: false
        statement: INSERT INTO refunds VALUES (:order_id, :amount)
    - name: research
      type: agent
      agent: researcher
  approvals:
    rules:
      - {tool: refund, when: amount > 100, action: ask, reason: over the limit, expires_after: 1h30m}
  limits: {max_iterations: 12}
)";

AgentDefinition must_parse(std::string_view text, std::string_view base = {}) {
  auto parsed = parse_definition(text, "agent.yaml", base);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message();
  return parsed.value_or(AgentDefinition{});
}

Json canonical_tool(const AgentDefinition& agent, std::size_t index) {
  return Json::parse(canonical_json(agent))["spec"]["tools"][index];
}

std::string error_of(std::string_view text) {
  auto parsed = parse_definition(text, "agent.yaml");
  return parsed ? "" : parsed.error().message();
}

// As a message lists them.
std::string known_types() {
  std::string out;
  for (const ToolType* type : agent_catalog().tools)
    out += (out.empty() ? "" : ", ") + std::string(type->name);
  return out;
}

// The file above with one line changed.
std::string changed(std::string_view from, std::string_view to) {
  std::string text(kRefund);
  std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Definition, AVariableInsideAPathDoesNotMakeItAbsolute) {
  auto database = [](std::string_view path) {
    std::string text(kRefund);
    text.replace(text.find("shop.db"), 7, path);
    return canonical_tool(must_parse(text, "/srv/agents"), 0)["sql"]["database"].get<std::string>();
  };
  EXPECT_EQ(database("data/${TENANT}.db"), "/srv/agents/data/${TENANT}.db");
  EXPECT_EQ(database("${SHOP_DB}"), "${SHOP_DB}");
}

TEST(Definition, ReadsEverySection) {
  AgentDefinition agent = must_parse(kRefund, "/srv/agents");
  EXPECT_EQ(agent.name, "refund");
  EXPECT_EQ(agent.model.retry.attempts, 4);
  EXPECT_EQ(agent.model.retry.initial, Duration(2000));
  EXPECT_EQ(agent.limits.max_iterations, 12);
  ASSERT_EQ(agent.tools.size(), 4u);
  EXPECT_EQ(agent.tools[0].effect, Effect::kPure);
  EXPECT_EQ(canonical_tool(agent, 0)["sql"]["database"], "/srv/agents/shop.db");
  EXPECT_EQ(agent.tools[1].effect, Effect::kIdempotent);
  EXPECT_EQ(agent.tools[2].effect, Effect::kTransactional);
  EXPECT_EQ(agent.tools[3].parameters["required"], Json::array({"input"}));
  ASSERT_EQ(agent.approvals.rules.size(), 1u);
  EXPECT_EQ(agent.approvals.rules[0].expires_after, Duration(5400000));
}

// The store keeps the canonical form only; a worker that loads it must get the same agent, and the same
// version.
TEST(Definition, CanonicalFormReadsBackAsItself) {
  AgentDefinition agent = must_parse(kRefund);
  std::string canonical = canonical_json(agent);
  AgentDefinition again = must_parse(canonical);
  EXPECT_EQ(canonical_json(again), canonical);
  EXPECT_EQ(version_of(again), version_of(agent));
  EXPECT_NE(version_of(must_parse(changed("You handle", "You settle"))), version_of(agent));
  EXPECT_EQ(version_of(must_parse(changed("name: scripted", "name: \"scripted\"  # same"))),
            version_of(agent));
}

TEST(Definition, AContextIsReadAndIsPartOfTheVersion) {
  const std::string with = changed("limits: {max_iterations: 12}",
                                   "limits: {max_iterations: 12}\n  context: {window: 8000, windows: "
                                   "{small: 2000}, pin: none, trim_tool_results: {}}");
  AgentDefinition agent = must_parse(with);
  ASSERT_TRUE(agent.context.has_value());
  EXPECT_EQ(agent.context->threshold("other"), 6400);
  EXPECT_EQ(agent.context->threshold("small"), 1600);
  EXPECT_FALSE(agent.context->pin_first);
  EXPECT_EQ(agent.context->trim_tool_results->max_bytes, 2000u);
  EXPECT_EQ(canonical_json(must_parse(canonical_json(agent))), canonical_json(agent));
  EXPECT_NE(version_of(agent), version_of(must_parse(kRefund)));
  EXPECT_FALSE(must_parse(kRefund).context.has_value());
  EXPECT_THAT(error_of(changed("limits: {max_iterations: 12}",
                               "context: {window: 10, compact_at: 2, windows: {a: many}, keep: 3}")),
              AllOf(HasSubstr("`spec.context.window`"), HasSubstr("`spec.context.compact_at`"),
                    HasSubstr("`spec.context.windows`"), HasSubstr("keep")));
}

TEST(Definition, ClosedParametersTakeNoUndeclaredArgument) {
  AgentDefinition agent = must_parse(
      changed("required: [order_id]", "required: [order_id]\n        additionalProperties: {type: string}"));
  const std::string before = canonical_json(agent);
  close_parameters(agent);
  EXPECT_EQ(agent.tools[0].parameters["additionalProperties"], Json({{"type", "string"}}));
  for (const std::size_t closed : {1, 2, 3}) {
    EXPECT_EQ(agent.tools[closed].parameters["additionalProperties"], false);
  }
  // Reading leaves a stored version as it is.
  EXPECT_EQ(canonical_json(must_parse(before)), before);
  EXPECT_EQ(canonical_json(must_parse(canonical_json(agent))), canonical_json(agent));
}

TEST(Definition, UnusualTextSurvivesTheCanonicalForm) {
  std::string text = changed("You handle refunds.", "Say \"hé\" \\ 日本 😀\t: # {x} 'y'");
  AgentDefinition agent = must_parse(text);
  EXPECT_EQ(must_parse(canonical_json(agent)).prompt, agent.prompt);
}

TEST(Definition, UnknownKeyNamesTheNearest) {
  EXPECT_EQ(error_of(changed("  limits: {max_iterations: 12}", "  limit: {max_iterations: 12}")),
            "agent.yaml:51:3: unknown key `spec.limit`; did you mean `limits`?");
  EXPECT_EQ(error_of(changed("metadata:", "zebra: 1\nmetadata:")),
            "agent.yaml:3:1: unknown key `zebra`; valid here: apiVersion, kind, metadata, spec");
  EXPECT_THAT(error_of(changed("max_iterations: 12", "zebra: 12")),
              HasSubstr("unknown key `spec.limits.zebra`; valid here: max_iterations"));
}

TEST(Definition, TheTeamIsPartOfTheVersionWhereThereIsOne) {
  const AgentDefinition without = must_parse(kRefund);
  const AgentDefinition with =
      must_parse(changed("  name: refund\n", "  name: refund\n  team: payments.eu\n"));
  EXPECT_EQ(with.team, "payments.eu");
  EXPECT_EQ(canonical_json(without).find("team"), std::string::npos);
  EXPECT_NE(version_of(with), version_of(without));
  EXPECT_EQ(must_parse(canonical_json(with)).team, "payments.eu");
  EXPECT_THAT(error_of(changed("  name: refund\n", "  name: refund\n  team: a/b\n")),
              HasSubstr("`metadata.team`: has 1 to 63 letters, digits or . _ -"));
}

TEST(Definition, EveryMistakeIsReportedAtOnceInOrder) {
  std::string error = error_of(R"(apiVersion: holdfast.dev/v2
kind: Agnet
metadata: {name: Refund Agent}
spec:
  model: {provider: opena, name: x, max_tokens: many}
  prompt: hi
  tools:
    - {name: a, type: sqll}
    - {name: a, type: agent, agent: b, effect: pure}
)");
  EXPECT_EQ(
      error,
      "agent.yaml:1:13: `apiVersion`: `holdfast.dev/v2` is not known to this version; use holdfast.dev/v1\n"
      "agent.yaml:2:7: `kind`: `Agnet` is not known; use Agent\n"
      "agent.yaml:3:18: `metadata.name`: may hold lower-case letters, digits and `-`, 63 at most, for "
      "example "
      "refund-agent\n"
      "agent.yaml:5:21: `spec.model.provider`: unknown value `opena`; did you mean `openai`? (one of openai, "
      "openai_responses, "
      "anthropic, gemini)\n"
      "agent.yaml:5:49: `spec.model.max_tokens`: must be a whole number from 1 to 10000000, not `many`\n"
      "agent.yaml:8:23: `spec.tools[0].type`: unknown value `sqll`; did you mean `sql`? (one of " +
          known_types() +
          ")\n"
          "agent.yaml:9:7: `spec.tools[1].name`: there is a tool `a` already; names must differ\n"
          "agent.yaml:9:48: `spec.tools[1].effect`: a sub-agent is durable itself; remove `effect`");
}

TEST(Definition, BrokenYamlHasItsPlace) {
  EXPECT_THAT(error_of("apiVersion: [\nkind: Agent"), HasSubstr("agent.yaml:"));
  EXPECT_THAT(error_of("apiVersion: [\nkind: Agent"), HasSubstr("broken YAML"));
  EXPECT_THAT(error_of(""), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of("just text"), HasSubstr("the file must be a mapping"));
  EXPECT_THAT(error_of("- a\n- b"), HasSubstr("a list"));
  EXPECT_THAT(error_of("a: 1\na: 2"), HasSubstr("given twice"));
}

TEST(Definition, MissingPartsSayWhatToAdd) {
  EXPECT_THAT(error_of("kind: Agent"), HasSubstr("`apiVersion` is missing"));
  EXPECT_THAT(error_of(changed("    name: scripted\n", "")), HasSubstr("`spec.model.name` is missing"));
  EXPECT_THAT(
      error_of(changed("      effect: idempotent\n", "")),
      HasSubstr("`spec.tools[1].effect` is missing; add `effect:` idempotent if the receiver of this POST "
                "honours the Idempotency-Key header"));
}

TEST(Definition, ToolsAreCheckedAgainstTheirParameters) {
  EXPECT_THAT(
      error_of(changed("WHERE id = :order_id", "WHERE id = :orderid")),
      HasSubstr("uses the argument `orderid`, which `parameters.properties` does not declare; did you mean "
                "`order_id`?"));
  EXPECT_THAT(error_of(changed("hook/{channel}", "hook/{chanel}")), HasSubstr("did you mean `channel`?"));
  EXPECT_THAT(error_of(changed("http://127.0.0.1:2/", "http://{channel}:2/")),
              HasSubstr("stands in scheme or host"));
  EXPECT_THAT(error_of(changed("minimum: 0", "$dynamicRef: x")),
              HasSubstr("unsupported keyword `$dynamicRef`"));
  EXPECT_THAT(error_of(changed("when: amount > 100", "when: amuont > 100")),
              HasSubstr("did you mean `amount`?"));
  EXPECT_THAT(error_of(changed("when: amount > 100", "when: amount = 100")),
              HasSubstr("write `==` at column 8"));
  EXPECT_THAT(error_of(changed("tool: refund,", "tool: refnud,")),
              HasSubstr("there is no tool `refnud`; did you mean"));
}

TEST(Definition, HostileFilesAreRefusedNotServed) {
  std::string bomb =
      "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n";
  std::string text =
      changed("        body: {text: \"{text}\"}", "        body: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]");
  EXPECT_THAT(error_of(bomb + text), HasSubstr(fmt::format("more than {} values", spec::kMaxYamlNodes)));
  EXPECT_THAT(error_of(std::string(kMaxDefinitionBytes + 1, 'a')),
              HasSubstr(fmt::format("at most {} are allowed", kMaxDefinitionBytes)));
  EXPECT_NE(error_of(std::string(100000, '[')), "");
}

TEST(Definition, TheExamplesAreValid) {
  int examples = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(HOLDFAST_EXAMPLES)) {
    if (entry.path().filename() != "agent.yaml") continue;
    std::ifstream file(entry.path());
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto parsed = parse_definition(text, entry.path().string());
    EXPECT_TRUE(parsed.has_value()) << parsed.error().message();
    ++examples;
  }
  EXPECT_GE(examples, 1);
}

TEST(Definition, SchemaIsJsonAndKnowsTheKeysOfTheCanonicalForm) {
  Json schema = Json::parse(definition_schema());
  Json canonical = Json::parse(canonical_json(must_parse(kRefund)));
  const Json& defs = schema["$defs"];
  auto expect_known = [](const Json& value, const Json& properties) {
    for (const auto& [key, unused] : value.items()) EXPECT_TRUE(properties.contains(key)) << key;
  };
  expect_known(canonical["spec"], schema["properties"]["spec"]["properties"]);
  expect_known(canonical["spec"]["model"], defs["model"]["properties"]);
  expect_known(canonical["spec"]["limits"], defs["limits"]["properties"]);
  expect_known(canonical["spec"]["approvals"], defs["approvals"]["properties"]);
  for (const Json& tool : canonical["spec"]["tools"]) {
    expect_known(tool, defs["tool"]["properties"]);
    const std::string type = tool["type"];
    if (tool[type].is_object()) expect_known(tool[type], defs["tool"]["properties"][type]["properties"]);
  }
}

std::string with_servers(const std::string& servers, const std::string& rest = "") {
  return "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  model: {provider: openai, "
         "name: m}\n"
         "  prompt: p\n  mcp_servers:\n" +
         servers + rest;
}

TEST(Definition, ServersOfToolsAreReadAndWrittenAsTheyAre) {
  const std::string text = with_servers(
      "    - name: tickets\n      url: https://mcp.example.com/mcp\n      headers: {X: \"${TOKEN}\"}\n"
      "      auth: {type: oauth2_refresh_token, token_url: \"https://l.example/t\", client_id_env: ID, "
      "refresh_token_env: R}\n"
      "      tools: {allow: [search], effects: {search: pure}, trust_annotations: true}\n"
      "    - {name: files, command: [/usr/bin/files, \"a b\"], env: {A: b}, timeout: 5s}\n",
      "  approvals: {rules: [{tool: tickets__search, when: x > 1, action: ask}, {tool: 'files__*', action: "
      "deny}]}\n");
  const AgentDefinition agent = must_parse(text);
  ASSERT_EQ(agent.mcp_servers.size(), 2u);
  EXPECT_EQ(agent.mcp_servers[0]->effects.at("search"), Effect::kPure);
  EXPECT_EQ(agent.mcp_servers[1]->command, (std::vector<std::string>{"/usr/bin/files", "a b"}));
  const std::string canonical = canonical_json(agent);
  EXPECT_EQ(canonical_json(must_parse(canonical)), canonical);
  const Json schema =
      Json::parse(definition_schema())["properties"]["spec"]["properties"]["mcp_servers"]["items"];
  for (const Json& server : Json::parse(canonical)["spec"]["mcp_servers"]) {
    for (const auto& [key, unused] : server.items()) EXPECT_TRUE(schema["properties"].contains(key)) << key;
  }
  for (const auto& [key, unused] : Json::parse(canonical)["spec"]["mcp_servers"][0]["auth"].items())
    EXPECT_TRUE(schema["properties"]["auth"]["properties"].contains(key)) << key;
}

TEST(Definition, MistakesInServersAreTold) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"{name: a__b, url: \"http://x\"}", "its tools are called NAME__TOOL"},
      {"{name: a}", "add `url:` of a server over HTTP, or `command:"},
      {"{name: a, url: \"http://x\", command: [/x]}", "give `url` or `command`, not both"},
      {"{name: a, command: [npx, x]}", "the program is an absolute path"},
      {"{name: a, command: [/x], headers: {A: b}}", "does not belong to a server with `command`"},
      {"{name: a, url: \"http://x\", env: {A: b}}", "does not belong to a server with `url`"},
      {"{name: a, url: \"ftp://x\"}", "must start with http"},
      {"{name: a, url: \"http://x\", headers: {Mcp-Session-Id: x}}", "is set by the protocol"},
      {"{name: a, url: \"http://x\", tools: {allow: []}}", "names no tool"},
      {"{name: a, url: \"http://x\", tools: {allow: [b], effects: {c: pure}}}", "that `allow` leaves out"},
      {"{name: a, url: \"http://x\", tools: {effects: {c: transactional}}}", "unknown value `transactional`"},
      {"{name: a, url: \"http://x\", auth: {type: oauth2_client_credentials, token_url: \"http://t\", "
       "client_id_env: I}}",
       "`spec.mcp_servers[0].auth.client_secret_env` is missing"},
      {"{name: a, url: \"http://x\", auth: {type: basic, token_url: \"http://t\", client_id_env: I}}",
       "unknown value `basic`"},
      {"{name: a, url: \"http://x\", tool: {}}", "did you mean `tools`?"},
  };
  for (const auto& [server, words] : mistakes)
    EXPECT_THAT(error_of(with_servers(std::string("    - ") + server + "\n")), HasSubstr(words)) << server;
  EXPECT_THAT(
      error_of(with_servers("    - {name: a, url: \"http://x\"}\n    - {name: a, url: \"http://y\"}\n")),
      HasSubstr("there is a server `a` already"));
  EXPECT_THAT(error_of(with_servers("    - {name: a, url: \"http://x\"}\n",
                                    "  approvals: {rules: [{tool: b__c, action: ask}]}\n")),
              HasSubstr("there is no tool `b__c`"));
}

TEST(Definition, NamesOfForeignToolsSuitEveryProvider) {
  McpServer server;
  server.name = "s";
  EXPECT_EQ(mcp_tool_name(server, "get_user"), "s__get_user");
  EXPECT_EQ(mcp_tool_name(server, "admin.tools/list").substr(0, 19), "s__admin_tools_list");
  EXPECT_NE(mcp_tool_name(server, "a.b"), mcp_tool_name(server, "a/b"));
  EXPECT_EQ(mcp_tool_name(server, std::string(200, 'x')).size(), 64u);
}

TEST(Definition, ASecondDocumentIsRefusedNotIgnored) {
  const std::string text(kRefund);
  auto parsed = parse_definition(text + "---\nspec:\n  approvals: {default: deny}\n", "agent.yaml", "");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_THAT(parsed.error().message(), HasSubstr("a second document"));
  EXPECT_TRUE(parse_definition("---\n" + text + "---\n", "agent.yaml", "").has_value());
  EXPECT_TRUE(parse_definition(text + "...\n# the end\n", "agent.yaml", "").has_value());
}

}  // namespace
}  // namespace holdfast::agent
