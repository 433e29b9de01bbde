#pragma once

// One call of one tool, outside of any workflow: what the tool activity does between the two entries of the
// effect ledger. Blocking; runs on an activity thread. Never throws; every way a call can end is an Ending.

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "definition/definition.h"
#include "holdfast/seams.h"
#include "net/http_client.h"

namespace holdfast::agent {

enum class Ending {
  kDone,     // `text` is the result
  kFailed,   // final; `text` goes to the model as "Error: ..."
  kRetry,    // nothing decided: call again under the same key, after `retry_after` when given
  kUnknown,  // the effect may or may not have happened, and must not be repeated
};

struct ToolEnding {
  ToolEnding() = default;
  ToolEnding(Ending ending_in, std::string text_in) : ending(ending_in), text(std::move(text_in)) {}
  Ending ending = Ending::kFailed;
  std::string text;
  std::optional<std::chrono::milliseconds> retry_after;
};

// What a call needs from outside. `beat` is called about every kBeatInterval while the call waits: it
// heartbeats.
struct ToolContext {
  std::string idempotency_key;
  std::stop_token stop;
  std::function<void()> beat;
  const char* (*environment)(const char* name) = nullptr;
};

inline constexpr std::chrono::milliseconds kBeatInterval{500};

// Sends `Idempotency-Key`. Placeholders are filled, the rest of the arguments goes into query (GET, HEAD,
// DELETE) or JSON body when the tool gives no body of its own. Redirects are not followed.
ToolEnding run_http_tool(const ToolSpec& tool, const Json& arguments, const ToolContext& context,
                         net::HttpClient& http);

// Reading: a read-only connection, and statements that sqlite3 calls read-only. Writing: one transaction
// together with a row in `holdfast_effects` of the same database, so that a repeated call finds its own
// result instead.
ToolEnding run_sql_tool(const ToolSpec& tool, const Json& arguments, const ToolContext& context,
                        const Clock& clock);

// Cut to `limit` bytes at a character boundary, with a note; bytes that are no UTF-8 replaced.
std::string bounded_text(std::string text, std::size_t limit);

}  // namespace holdfast::agent
