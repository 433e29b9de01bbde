// `type: mcp`: a tool of a server of the Model Context Protocol, as it stands in a stored definition: put
// there when the definition was applied, pinned by a hash. A file has `mcp_servers` instead.

#include <fmt/format.h>

#include "definition/names.h"
#include "mcp/client.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {

namespace {

using mcp::Failure;
using FailureKind = mcp::Failure::Kind;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["server", "tool", "sha256"],
  "description": "Of a stored definition: `mcp_servers` is what a file has.",
  "properties": {
    "server": {"type": "string"},
    "tool": {"type": "string"},
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}}
  }
})json";

struct McpSettings : ToolSettings {
  std::shared_ptr<const McpServer> server;
  std::string tool;                            // as the server calls it
  std::string sha256;                          // of what it said about the tool
  std::map<std::string, std::string> headers;  // JSON pointers of arguments that go into headers, too
};

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void read(ToolReader& reader) {
  auto out = std::make_shared<McpSettings>();
  spec::MapReader in = reader.in.map("mcp");
  const std::string server = in.required_text("server");
  for (const auto& one : reader.mcp_servers) {
    if (one->name == server) out->server = one;
  }
  if (!server.empty() && !out->server)
    in.problem("server", fmt::format("there is no server `{}` in spec.mcp_servers", server));
  out->tool = in.required_text("tool");
  out->sha256 = in.required_text("sha256");
  if (!out->sha256.empty() && !is_hash(out->sha256)) in.problem("sha256", "must be 64 hexadecimal digits");
  for (auto& [place, name] : in.text_map("headers")) {
    if (!place.starts_with('/') || name.empty() || name.find_first_of("\r\n: ") != std::string::npos)
      in.problem("headers", fmt::format("`{}` is no argument with a header", place));
    out->headers[place] = name;
  }
  in.finish();
  if (reader.effect_given) {
    if (reader.tool.effect == Effect::kTransactional)
      reader.in.problem("effect", "a call of an MCP server cannot be transactional");
  } else {
    reader.tool.effect = Effect::kAtMostOnce;
  }
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& mcp = settings_of<McpSettings>(tool);
  Json out = {{"server", mcp.server ? mcp.server->name : ""}, {"tool", mcp.tool}, {"sha256", mcp.sha256}};
  if (!mcp.headers.empty()) out["headers"] = mcp.headers;
  return out;
}

Needs needs(const ToolSpec& tool) {
  const auto& mcp = settings_of<McpSettings>(tool);
  return mcp.server ? needs_of(*mcp.server) : Needs();
}

// ---- a call

std::string within(const McpSettings& mcp, const std::string& text) {
  return fmt::format("MCP server `{}`: {}", mcp.server->name, text);
}

ToolEnding failed(const ToolSpec& tool, const Failure& failure) {
  const auto& mcp = settings_of<McpSettings>(tool);
  const bool once = tool.effect == Effect::kAtMostOnce;
  ToolEnding out(Ending::kFailed,
                 failure.kind == FailureKind::kChanged ? failure.message : within(mcp, failure.message));
  switch (failure.kind) {
    case FailureKind::kUnreachable:
    case FailureKind::kCancelled:
    case FailureKind::kBroken:
      if (!once) {
        out.ending = Ending::kRetry;
      } else if (failure.sent) {
        out.ending = Ending::kUnknown;
      } else {
        out.text += "; nothing was called";
      }
      break;
    case FailureKind::kBusy:
      if (!once) out.ending = Ending::kRetry;
      if (failure.retry_after && *failure.retry_after <= std::chrono::hours(24))
        out.retry_after = failure.retry_after;
      break;
    case FailureKind::kError:
      if (failure.sent) out.ending = once ? Ending::kUnknown : Ending::kRetry;
      break;
    case FailureKind::kTooLarge:
      // It was answered, so what had to happen has happened.
      if (failure.sent && tool.effect != Effect::kPure) out.ending = Ending::kDone;
      out.text =
          within(mcp, fmt::format("the answer is larger than {} bytes", mcp.server->max_response_bytes));
      break;
    default: break;
  }
  return out;
}

ToolEnding run(const ToolSpec& tool, const Json& arguments, const ToolContext& context) {
  const auto& mcp = settings_of<McpSettings>(tool);
  if (context.mcp == nullptr) return {Ending::kFailed, "this worker has no client for MCP servers"};
  mcp::ToolCall call;
  call.tool = mcp.tool;
  call.sha256 = mcp.sha256;
  call.headers = mcp.headers;
  call.arguments = arguments;
  call.idempotency_key = context.idempotency_key;
  mcp::Access access;
  access.clock = context.clock;
  access.permits = context.permits;
  access.stop = context.stop;
  access.heartbeat = {kBeatInterval, context.beat};
  access.deadline = context.clock->monotonic() + tool.timeout;
  auto answer = context.mcp->call(mcp.server, call, access);
  if (!answer) return failed(tool, answer.error());
  return {answer->is_error ? Ending::kFailed : Ending::kDone, std::move(answer->text)};
}

}  // namespace

constinit const ActivityTool kMcpTool(
    {.name = "mcp",
     .schema = kSchema,
     .section_needs = "in a stored definition; a file has `spec.mcp_servers`",
     .has_effect = true,
     .read = read,
     .canonical = canonical,
     .needs = needs},
    run);

}  // namespace holdfast::agent
