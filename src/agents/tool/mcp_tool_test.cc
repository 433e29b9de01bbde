// Goal: what a call of an MCP server's tool came to says what is known about its effect, and no more. Method:
// every failure of the client, for every effect, through servers that are not there, break off or answer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grant/grants.h"
#include "mcp/client.h"
#include "mcp/listing.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using enum Effect;

constexpr const char* kTool = R"({"name":"add","inputSchema":{"type":"object"}})";

std::string pin() {
  mcp::Listing listing;
  EXPECT_TRUE(listing.add(Json::array({Json::parse(kTool)}), false).ok());
  return listing.tools.front().sha256;
}

// A shell's script that is asked once what it speaks and once what it has, and then plays `call`.
std::string definition(const std::string& effect, const std::string& call, const std::string& hash) {
  const std::string script =
      R"(read x; echo '{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"]}}'; read x; echo '{"jsonrpc":"2.0","id":2,"result":{"tools":[)" +
      std::string(kTool) + R"(]}}'; read x; )" + call;
  Json out = {{"apiVersion", "holdfast.dev/v1"}, {"kind", "Agent"}, {"metadata", {{"name", "a"}}}};
  out["spec"] = {{"model", {{"provider", "openai"}, {"name", "m"}}},
                 {"prompt", "p"},
                 {"mcp_servers", Json::array({{{"name", "s"}, {"command", {"/bin/sh", "-c", script}}}})},
                 {"tools", Json::array({{{"name", "s__add"},
                                         {"type", "mcp"},
                                         {"effect", effect},
                                         {"timeout", "10s"},
                                         {"mcp", {{"server", "s"}, {"tool", "add"}, {"sha256", hash}}}}})}};
  return out.dump();
}

ToolEnding call(Effect effect, const std::string& script, const std::string& hash = pin()) {
  Catalog catalog;
  for (const ActivityTool* tool : activity_tools()) catalog.tools.push_back(&tool->type);
  catalog.providers = {"openai"};
  auto read =
      parse_definition(catalog, definition(std::string(to_string(effect)), script, hash), "agent.yaml");
  EXPECT_TRUE(read.has_value()) << read.error().message();
  if (!read) return {};
  const os::SystemClock clock;
  os::ThreadExecutor loop("http");
  const auto http = net::curl_http_client(loop, net::Egress::kGranted);
  oauth::Tokens tokens(clock);
  os::ThreadExecutor janitor("janitor");
  mcp::Client client(*http, tokens, clock, janitor);
  const grant::Grants grants([](const char*) -> const char* { return nullptr; });
  const ToolSpec& tool = read->tools.front();
  const auto permits = grants.naming(tool.type->needs(tool));
  ToolContext context;
  context.clock = &clock;
  context.permits = permits.get();
  context.mcp = &client;
  context.beat = [] {};
  context.idempotency_key = "key";
  return find_activity_tool("mcp")->run(tool, Json::object(), context);
}

std::string answers(const std::string& member) {
  return "echo '{\"jsonrpc\":\"2.0\",\"id\":3," + member + "}'";
}

TEST(McpTool, AnAnswerIsDoneAndAFailureOfTheToolIsTheModels) {
  for (const Effect effect : {kPure, kIdempotent, kAtMostOnce}) {
    const ToolEnding done = call(effect, answers(R"("result":{"content":[{"type":"text","text":"2"}]})"));
    EXPECT_EQ(done.ending, Ending::kDone);
    EXPECT_EQ(done.text, "2");
    EXPECT_EQ(call(effect, answers(R"("result":{"isError":true,"content":[]})")).ending, Ending::kFailed);
    EXPECT_EQ(call(effect, answers(R"("error":{"code":-32602,"message":"no such order"})")).ending,
              Ending::kFailed);
  }
}

TEST(McpTool, AServerThatDiesInMidCallLeavesOnlyAnAtMostOnceCallUnknown) {
  EXPECT_EQ(call(kPure, "kill -9 $$").ending, Ending::kRetry);
  EXPECT_EQ(call(kIdempotent, "kill -9 $$").ending, Ending::kRetry);
  EXPECT_EQ(call(kAtMostOnce, "kill -9 $$").ending, Ending::kUnknown);
  EXPECT_EQ(call(kAtMostOnce, answers(R"("error":{"code":-32603,"message":"crashed"})")).ending,
            Ending::kUnknown);
}

TEST(McpTool, WhatWasNotSentIsKnownNotToHaveHappened) {
  const ToolEnding changed = call(kAtMostOnce, "echo never", std::string(64, '0'));
  EXPECT_EQ(changed.ending, Ending::kFailed);
  EXPECT_THAT(changed.text, HasSubstr("ToolChangedError: the MCP server `s` has changed the tool `add`"));
}

TEST(McpTool, AnAnswerThatIsTooLargeWasAnAnswer) {
  EXPECT_EQ(call(kPure, "exec cat /dev/zero").ending, Ending::kFailed);
  const ToolEnding large = call(kAtMostOnce, "exec cat /dev/zero");
  EXPECT_EQ(large.ending, Ending::kDone);
  EXPECT_THAT(large.text, HasSubstr("MCP server `s`: the answer is larger than 1048576 bytes"));
}

}  // namespace
}  // namespace holdfast::agent
