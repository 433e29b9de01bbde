#pragma once

// Tools whose calls run in an activity: they touch the world. A type is one constant in one file and one line
// below. The list is the only way to a type: what is not there is an error, never somebody else's call; a
// constant that is not listed is unused, which does not compile.
//
// Running blocks, on an activity thread. It never throws; every way a call can end is an Ending.

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/memory_budget.h"
#include "base/redaction.h"
#include "definition/tool_type.h"
#include "grant/permits.h"
#include "holdfast/seams.h"
#include "net/http_client.h"
#include "platform/store.h"

namespace holdfast::mcp {
class Client;
}
namespace holdfast::oauth {
class Tokens;
}

namespace holdfast::agent {

class SqlConnections;

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
  Json more;  // what is recorded of the result besides its text, an object; null: nothing
};

// What a call needs from outside. `beat` is called about every kBeatInterval while the call waits: it
// heartbeats. `permits` is the only way to anything of the machine.
struct ToolContext {
  std::string idempotency_key;
  std::stop_token stop;
  std::function<void()> beat;
  net::HttpClient* http = nullptr;
  MemoryBudget* memory = nullptr;  // what a statement of SQL holds draws on it; never null where there is one
  SqlConnections* sql_connections = nullptr;  // null: each call opens its own
  const Clock* clock = nullptr;
  mcp::Client* mcp = nullptr;       // none in a process that talks to no MCP server
  oauth::Tokens* tokens = nullptr;  // of tools with `auth`; the same
  const grant::Permits* permits = nullptr;
  const Redaction* redaction = nullptr;  // for a text that the type cuts itself; never null in the product
  platform::Store* store = nullptr;      // for what is the platform's own; never null in the product
  std::string run;
  std::string agent;
  std::string conversation;
  // The result goes on as data, to whoever computes with it: what is left out, or stands for what is no text,
  // would be taken for it. So the call fails instead, and says what to do.
  bool as_data = false;
  // Of a call that is completed from outside: how, for whoever it is told to. Empty: of none.
  std::string completion_url;
  std::string completion_token;
  // Of a message that asks somebody to decide: the link by which he does. Empty: of none.
  std::string decide_url;
  bool asks_question = false;  // and what is decided is an answer, by the link's page alone
  // Of a message that follows another one of the same tool: what is known of that one, as its own ending said
  // (`ts` of Slack), or its idempotency key. Empty: it stands by itself.
  std::string follows;
  // The arguments as JSON with their members as they were written, which outlives the call. Empty: nobody
  // wrote them, and they are sorted.
  std::string_view written;
};

using Written = nlohmann::ordered_json;  // members in the order in which they were written

// What is sent of the arguments as JSON.
Written written_arguments(const Json& arguments, const ToolContext& context);
// Values of the arguments as JSON. What was written is read when the first is asked for: most calls have no
// object and no list. Of one call, which it does not outlive.
class WrittenValues {
 public:
  WrittenValues(const Json& arguments, const ToolContext& context)
      : arguments_(arguments), context_(context) {}
  // Of an argument that is there.
  std::string text(const std::string& name);

 private:
  const Json& arguments_;
  const ToolContext& context_;
  std::optional<Written> written_;
};

// What a template of the tool's section is filled with.
Json usable_arguments(const Json& arguments, const ToolContext& context);
Written usable_arguments(const Written& arguments, const ToolContext& context);
// Holdfast-Completion-Url and -Token, of such a call.
void add_completion_headers(const ToolContext& context, net::Headers& headers);

inline constexpr std::chrono::milliseconds kBeatInterval{500};

struct ActivityTool {
  // One call, between the two entries of the effect ledger.
  using Run = ToolEnding (*)(const ToolSpec& tool, const Json& arguments, const ToolContext& context);

  consteval ActivityTool(ToolType type_in, Run run_in) : type(whole(type_in)), run(run_in) {
    type.in_activity = true;
    if (!run_in) throw "a tool of an activity type needs a function that runs its calls";
  }

  ToolType type;
  Run run;
};

// The types, one line each.
#define HOLDFAST_ACTIVITY_TOOLS(line)                                                               \
  line(kEmailTool) line(kHttpTool) line(kMcpTool) line(kMemoryTool) line(kSlackTool) line(kSqlTool) \
      line(kWebhookTool)

#define HOLDFAST_DECLARE_TOOL(tool) extern const ActivityTool tool;
HOLDFAST_ACTIVITY_TOOLS(HOLDFAST_DECLARE_TOOL)
#undef HOLDFAST_DECLARE_TOOL

std::span<const ActivityTool* const> activity_tools();
// Null when there is none.
const ActivityTool* find_activity_tool(std::string_view name);

}  // namespace holdfast::agent
