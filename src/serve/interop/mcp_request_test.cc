// In which revision a request to the MCP endpoint speaks, and what is wrong with it.

#include "interop/mcp_request.h"

#include <gtest/gtest.h>

#include "holdfast/seams.h"

namespace holdfast::interop {
namespace {

class Counting final : public Random {
 public:
  std::uint64_t next() override { return ++state_; }
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(next());
  }

 private:
  std::uint64_t state_ = 0;
};

const WallTime kNow = WallTime{} + std::chrono::hours(24 * 365 * 50);

RpcMessage message(const char* json) {
  auto read = rpc_message(Json::parse(json));
  EXPECT_TRUE(read);
  return read ? *std::move(read) : RpcMessage();
}

net::Request with(std::vector<net::Header> headers) {
  net::Request request;
  request.headers = std::move(headers);
  return request;
}

constexpr const char* kCall =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"p\u00e4r","_meta":{
  "io.modelcontextprotocol/protocolVersion":"2026-07-28",
  "io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}})";

TEST(Stateless, TheHeadersSayWhatTheBodySays) {
  const RpcMessage call = message(kCall);
  const net::Header version{"mcp-protocol-version", "2026-07-28"};
  const net::Header method{"mcp-method", "tools/call"};
  const net::Header name{"mcp-name", "=?base64?cMOkcg==?="};
  const auto peer = check_stateless(with({version, method, name}), call);
  ASSERT_TRUE(peer);
  EXPECT_TRUE(peer->forms);
  EXPECT_FALSE(peer->links);
  EXPECT_EQ(check_stateless(with({method, name}), call).error().code, kHeaderMismatch);
  EXPECT_EQ(check_stateless(with({version, name}), call).error().code, kHeaderMismatch);
  EXPECT_EQ(check_stateless(with({version, method}), call).error().code, kHeaderMismatch);
  EXPECT_EQ(check_stateless(with({version, method, {"mcp-name", "par"}}), call).error().code,
            kHeaderMismatch);
  EXPECT_EQ(check_stateless(with({version, version, method, name}), call).error().code, kHeaderMismatch);
}

TEST(Stateless, ARevisionThatIsNotOursIsNamedWithOurs) {
  const RpcMessage list = message(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{
    "io.modelcontextprotocol/protocolVersion":"1900-01-01","io.modelcontextprotocol/clientCapabilities":{}}}})");
  const net::Request request = with({{"mcp-protocol-version", "1900-01-01"}, {"mcp-method", "tools/list"}});
  EXPECT_TRUE(speaks_stateless(request, list));
  const RpcError error = check_stateless(request, list).error();
  EXPECT_EQ(error.code, kUnsupportedRevision);
  EXPECT_EQ(error.data["requested"], "1900-01-01");
  EXPECT_EQ(error.data["supported"][0], kStatelessRevision);
}

TEST(Stateless, WithoutItsMetaItSaysWhichIsMissing) {
  const RpcMessage list = message(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  const net::Request request = with({{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", "tools/list"}});
  EXPECT_TRUE(speaks_stateless(request, list));
  EXPECT_EQ(check_stateless(request, list).error().code, kInvalidParams);
}

TEST(Session, IsItsId) {
  Counting random;
  const RpcMessage hello = message(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{
    "protocolVersion":"2025-06-18","capabilities":{"elicitation":{"url":{}}}}})");
  EXPECT_FALSE(speaks_stateless(with({}), hello));
  const McpPeer agreed = agree(hello, random, kNow);
  const auto peer = session_of(with({{"mcp-session-id", agreed.session}}), kNow + std::chrono::hours(23));
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->revision, "2025-06-18");
  EXPECT_FALSE(peer->forms);
  EXPECT_TRUE(peer->links);
  EXPECT_EQ(
      session_of(with({{"mcp-session-id", agreed.session}}), kNow + std::chrono::hours(25)).error().status,
      404);
  EXPECT_EQ(session_of(with({}), kNow).error().status, 400);
  const auto other = with({{"mcp-session-id", agreed.session}, {"mcp-protocol-version", "1900-01-01"}});
  EXPECT_EQ(session_of(other, kNow).error().error.code, kUnsupportedRevision);
  for (const char* forged : {"x", "2025-06-18.f.99999999999999999999.x", "2025-06-18.f.-1.", "..."})
    EXPECT_EQ(session_of(with({{"mcp-session-id", forged}}), kNow).error().status, 404) << forged;
}

TEST(Session, AnUnknownRevisionIsMetWithTheNewest) {
  Counting random;
  const RpcMessage hello = message(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"1999-01-01","capabilities":{}}})");
  EXPECT_EQ(agree(hello, random, kNow).revision, kNewestSessionRevision);
}

TEST(Messages, WhatIsNoneIsRefused) {
  for (const char* json :
       {"1", "[]", "{}", R"({"jsonrpc":"2.0"})", R"({"jsonrpc":"1.0","id":1,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":null,"method":"ping"})", R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":1,"method":7})", R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})"})
    EXPECT_FALSE(rpc_message(Json::parse(json))) << json;
}

TEST(Accept, BothFormsOrAnything) {
  EXPECT_TRUE(accepts_both(with({})));
  EXPECT_TRUE(accepts_both(with({{"accept", "*/*"}})));
  EXPECT_TRUE(accepts_both(with({{"accept", "application/json, text/event-stream"}})));
  EXPECT_TRUE(accepts_both(with({{"accept", "Application/JSON;q=0.5, text/*"}})));
  EXPECT_FALSE(accepts_both(with({{"accept", "application/json"}})));
  EXPECT_FALSE(accepts_both(with({{"accept", "application/json, text/event-stream;q=0"}})));
}

}  // namespace
}  // namespace holdfast::interop
