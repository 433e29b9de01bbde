#include "mcp/session.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"

namespace holdfast::mcp {

namespace {

using std::chrono::milliseconds;
using FailureKind = Failure::Kind;

constexpr int kMaxPages = 100;
constexpr milliseconds kLongestBelief = std::chrono::minutes(1);
constexpr int kHeaderMismatch = -32020;
constexpr int kNoCapability = -32021;
constexpr int kUnsupportedVersion = -32022;
constexpr int kInternalError = -32603;
constexpr std::string_view kMeta = "io.modelcontextprotocol/";

Json who_we_are() {
  return {{"name", "holdfast"}, {"version", HOLDFAST_VERSION}};
}

// A text as the value of a header (streamable HTTP of 2026-07-28, "Value Encoding").
std::string header_value(const std::string& text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (c >= ' ' && c < 0x7f); }) &&
      !text.empty() && text.front() != ' ' && text.front() != '\t' && text.back() != ' ' &&
      text.back() != '\t';
  const bool looks_encoded = text.starts_with("=?base64?") && text.ends_with("?=");
  if ((plain && !looks_encoded) || text.empty()) return text;
  return "=?base64?" + padded_base64(text) + "?=";
}

Outcome<Json> ask(Line& line, std::string_view method, Json params, net::Headers headers,
                  const Access& access) {
  if (line.dialect.modern) {
    Json& meta = params["_meta"];
    meta[std::string(kMeta) + "protocolVersion"] = line.dialect.version;
    meta[std::string(kMeta) + "clientInfo"] = who_we_are();
    meta[std::string(kMeta) + "clientCapabilities"] = Json::object();
    headers.emplace_back("Mcp-Method", method);
    if (params.contains("name")) headers.emplace_back("Mcp-Name", header_value(text_at(params, "name")));
  }
  auto answer = line.exchange(request(line.next_id++, method, std::move(params)), headers, access);
  if (!answer) return std::unexpected(answer.error());
  return result_of(*std::move(answer));
}

bool is_known_legacy(const std::string& version) {
  static const std::set<std::string> kKnown = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
  return kKnown.contains(version);
}

Outcome<void> shake_hands(Line& line, const Access& access) {
  line.dialect = {};
  auto result =
      ask(line, "initialize",
          {{"protocolVersion", kLegacy}, {"capabilities", Json::object()}, {"clientInfo", who_we_are()}}, {},
          access);
  if (!result) return std::unexpected(result.error());
  const std::string version = text_at(*result, "protocolVersion");
  if (!is_known_legacy(version)) {
    line.dialect = {};
    return failed(FailureKind::kBroken,
                  fmt::format("the server speaks revision `{}` of MCP, which this version does not",
                              version.substr(0, 40)));
  }
  line.dialect.version = version;
  return line.notify(notification("notifications/initialized", {}), access);
}

// What the answer to `server/discover` says about the server: that it is of the older kind (none), or the
// failure that ends it.
std::optional<Failure> verdict_of(const Failure& failure) {
  switch (failure.kind) {
    case FailureKind::kWrongEra: return std::nullopt;
    case FailureKind::kError:
      if (failure.code == kUnsupportedVersion &&
          std::none_of(failure.supported.begin(), failure.supported.end(), is_known_legacy))
        return failure;
      if (failure.code == kHeaderMismatch || failure.code == kNoCapability) return failure;
      return std::nullopt;
    default: return failure;
  }
}

Outcome<Json> checked_result(Outcome<Json> result) {
  if (!result) return result;
  const std::string type = text_at(*result, "resultType");
  if (type == "input_required") {
    std::string wants;
    const auto requests = result->find("inputRequests");
    if (requests != result->end() && requests->is_object()) {
      for (const auto& [unused, one] : requests->items()) {
        if (wants.size() < 200) wants += (wants.empty() ? "" : ", ") + text_at(one, "method").substr(0, 60);
      }
    }
    return failed(
        FailureKind::kInputNeeded,
        fmt::format("the server wants input in the middle of the call{}{}; agents give none: let the tool "
                    "take it as an argument",
                    wants.empty() ? "" : ": ", wants));
  }
  if (!type.empty() && type != "complete")
    return failed(FailureKind::kBroken,
                  fmt::format("the server's result is of the unknown kind `{}`", type.substr(0, 40)));
  return result;
}

// Values of arguments that the server wants as headers, too.
net::Headers headers_of(const ToolCall& call) {
  net::Headers out;
  for (const auto& [place, name] : call.headers) {
    const Json::json_pointer pointer(place);
    if (!call.arguments.contains(pointer)) continue;
    const Json& value = call.arguments[pointer];
    if (value.is_string()) out.emplace_back("Mcp-Param-" + name, header_value(value.get<std::string>()));
    if (value.is_boolean() || value.is_number_integer())
      out.emplace_back("Mcp-Param-" + name, dump_json(value));
  }
  return out;
}

Outcome<void> check_pin(Line& line, const McpServer& server, const ToolCall& call, const Access& access) {
  if (access.clock->monotonic() >= line.pins_until) {
    if (auto listed = list_tools(line, server, access); !listed) return std::unexpected(listed.error());
  }
  const auto found = line.pins.find(call.tool);
  if (found != line.pins.end() && found->second == call.sha256) return {};
  line.pins_until = {};
  return failed(
      FailureKind::kChanged,
      fmt::format("ToolChangedError: the MCP server `{}` {} the tool `{}`{}; nothing was called. Apply the "
                  "agent's definition again to accept what the server has now",
                  server.name, found == line.pins.end() ? "no longer has" : "has changed", call.tool,
                  found == line.pins.end() ? "" : " since the agent was applied"));
}

}  // namespace

Outcome<void> agree(Line& line, const Access& access) {
  if (!line.dialect.version.empty()) return {};
  line.dialect.version = kModern;
  line.dialect.modern = true;
  Access probe = access;
  // So that there is time for the handshake.
  if (const auto patience = line.patience())
    probe.deadline = access.clock->monotonic() + std::min(*patience, access.left() / 2);
  auto found = ask(line, "server/discover", Json::object(), {}, probe);
  // It refuses the revision and names it: once more is worth a try.
  if (!found && std::ranges::find(found.error().supported, kModern) != found.error().supported.end())
    found = ask(line, "server/discover", Json::object(), {}, probe);
  if (found) {
    const auto versions = found->find("supportedVersions");
    if (versions != found->end() && versions->is_array() &&
        std::find(versions->begin(), versions->end(), kModern) != versions->end())
      return {};
  } else {
    const Failure& why = found.error();
    const bool silent = why.kind == FailureKind::kUnreachable && line.patience() && line.is_alive();
    if (auto verdict = silent ? std::nullopt : verdict_of(why)) {
      line.dialect = {};
      return std::unexpected(*std::move(verdict));
    }
  }
  auto greeted = shake_hands(line, access);
  // A program that was slow to start has heard the first question by now, and keeps to the revision of that.
  if (!greeted && greeted.error().code == kUnsupportedVersion) {
    line.dialect.version = kModern;
    line.dialect.modern = true;
    if (auto again = ask(line, "server/discover", Json::object(), {}, access); again) return {};
    line.dialect = {};
  }
  return greeted;
}

Outcome<Listing> list_tools(Line& line, const McpServer& server, const Access& access) {
  if (auto agreed = agree(line, access); !agreed) return std::unexpected(agreed.error());
  Listing out;
  std::size_t bytes = 0;
  std::set<std::string> cursors;
  std::optional<std::string> cursor;
  milliseconds belief = line.dialect.modern ? milliseconds(0) : kLongestBelief;
  line.pins_until = access.clock->monotonic() + kLongestBelief;  // unless it says meanwhile that they change
  for (int page = 0; page < kMaxPages; ++page) {
    Json params = Json::object();
    if (cursor) params["cursor"] = *cursor;
    auto result = checked_result(ask(line, "tools/list", std::move(params), {}, access));
    if (!result) return std::unexpected(result.error());
    bytes += dump_json(*result).size();
    if (bytes > server.max_response_bytes)
      return failed(FailureKind::kTooLarge,
                    fmt::format("the list of its tools is larger than {} bytes (max_response_bytes)",
                                server.max_response_bytes));
    const auto tools = result->find("tools");
    if (tools == result->end() || !tools->is_array())
      return failed(FailureKind::kBroken, "the server's list of tools is none");
    if (Status added = out.add(*tools, !server.url.empty()); !added.ok())
      return failed(FailureKind::kTooLarge, added.message());
    if (const auto ttl = result->find("ttlMs"); ttl != result->end() && ttl->is_number_unsigned())
      belief =
          std::min(kLongestBelief, milliseconds(std::min<std::uint64_t>(ttl->get<std::uint64_t>(), 60'000)));
    const auto next = result->find("nextCursor");
    if (next != result->end() && !next->is_null() && !next->is_string())
      return failed(FailureKind::kBroken,
                    "the server's `nextCursor` is no text: there are tools that it cannot be asked for");
    if (next == result->end() || next->is_null()) {
      line.pins.clear();
      for (const ListedTool& tool : out.tools) line.pins[tool.name] = tool.sha256;
      line.pins_until = std::min(line.pins_until, access.clock->monotonic() + belief);
      return out;
    }
    cursor = next->get<std::string>();
    if (!cursors.insert(*cursor).second) break;
  }
  return failed(FailureKind::kBroken, "the server's list of tools has no end");
}

Outcome<Json> call_tool(Line& line, const McpServer& server, const ToolCall& call, const Access& access) {
  if (auto agreed = agree(line, access); !agreed) return std::unexpected(agreed.error());
  if (auto same = check_pin(line, server, call, access); !same) return std::unexpected(same.error());
  Json params = {{"name", call.tool},
                 {"arguments", call.arguments},
                 {"_meta", {{"dev.holdfast/idempotency-key", call.idempotency_key}}}};
  net::Headers headers = line.dialect.modern ? headers_of(call) : net::Headers();
  headers.emplace_back("Idempotency-Key", call.idempotency_key);
  auto result = checked_result(ask(line, "tools/call", std::move(params), std::move(headers), access));
  if (result) return result;
  Failure failure = std::move(result.error());
  switch (failure.kind) {
    case FailureKind::kUnreachable:
    case FailureKind::kCancelled:
    case FailureKind::kBroken:
    case FailureKind::kTooLarge:
    case FailureKind::kInputNeeded: failure.sent = true; break;
    case FailureKind::kError:
      failure.sent = failure.code == kInternalError;
      line.pins_until = {};  // it may know the tool no more, or in another form
      break;
    default: break;
  }
  return std::unexpected(std::move(failure));
}

}  // namespace holdfast::mcp
