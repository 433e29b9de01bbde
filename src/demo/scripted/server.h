#pragma once

// ScriptedServer: a model that needs no key and no network. It speaks OpenAI Chat Completions (POST
// /v1/chat/completions) and Responses (POST /v1/responses), Anthropic Messages (POST /v1/messages),
// Gemini (POST /v1beta/models/NAME:generateContent and streamGenerateContent) and GET /v1/models over HTTP on
// loopback, from a script (docs/guide/models.md), and can be told to misbehave:
// stream slowly, cut, refuse, hang. The demo and the tests reach it through the product's own clients.
//
// A reply is chosen by what the request contains, never by what came before, so a retry or a restart gets the
// same one. Only "the first K requests" is counted, per process. Threads: one of its own, that of the HTTP
// server.

#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/status.h"

namespace holdfast::model {

struct ScriptedOptions {
  ScriptedOptions() = default;
  std::string script;              // YAML text
  std::string name = "script";     // what errors call it: a file name
  std::string host = "127.0.0.1";  // loopback only
  std::uint16_t port = 0;          // 0: any free one
};

class ScriptedServer {
 public:
  virtual ~ScriptedServer() = default;  // stops listening and ends every connection
  virtual std::uint16_t port() const = 0;
  virtual std::string base_url() const = 0;  // "http://127.0.0.1:PORT/v1", fit for Endpoint::base_url
  virtual std::uint64_t requests() const = 0;
};

// INVALID_ARGUMENT names line and column of the script; UNAVAILABLE: the port is taken.
Result<std::unique_ptr<ScriptedServer>> start_scripted_server(const ScriptedOptions& options);

}  // namespace holdfast::model
