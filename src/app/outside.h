#pragma once

// Outside: what this process talks to others with on behalf of agents: HTTP within the grants, tokens, MCP
// servers. One for the workers and for whoever applies definitions, so that a session or a program that one
// of them has serves the other. Its parts are for any thread; it outlives whoever uses them.

#include <memory>

#include "activities/register.h"
#include "holdfast/environment.h"
#include "mcp/client.h"
#include "net/http_client.h"
#include "oauth/tokens.h"

namespace holdfast::app {

class Outside {
 public:
  explicit Outside(const Environment& environment)
      : http_loop_(environment.new_executor("http-client")),
        http_(net::curl_http_client(*http_loop_, net::Egress::kGranted)),
        tokens_(environment.clock()),
        janitor_(environment.new_executor("mcp-janitor")),
        mcp_(*http_, tokens_, environment.clock(), *janitor_) {}

  net::HttpClient& http() { return *http_; }
  oauth::Tokens& tokens() { return tokens_; }
  mcp::Client& mcp() { return mcp_; }

 private:
  std::unique_ptr<Executor> http_loop_;
  std::unique_ptr<net::HttpClient> http_;
  oauth::Tokens tokens_;
  std::unique_ptr<Executor> janitor_;
  mcp::Client mcp_;
};

}  // namespace holdfast::app
