#include "interop/mcp_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/base64.h"
#include "base/ids.h"
#include "net/accept.h"

namespace holdfast::interop {

namespace {

constexpr std::array<std::string_view, 3> kSessionRevisions = {"2025-11-25", "2025-06-18", "2025-03-26"};
constexpr std::int64_t kLastSecond = 253402300799;  // of the year 9999
constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

const Json& meta_of(const RpcMessage& message) {
  return object_member(message.params, "_meta");
}

void read_capabilities(const Json& capabilities, McpPeer& peer) {
  if (!capabilities.is_object() || !capabilities.contains("elicitation")) return;
  const Json& elicitation = object_member(capabilities, "elicitation");
  peer.links = elicitation.contains("url");
  peer.forms = elicitation.contains("form") || !peer.links;  // an empty object means forms
}

RpcError unsupported(std::string_view revision) {
  return {kUnsupportedRevision,
          "Unsupported protocol version",
          {{"supported", supported_revisions()}, {"requested", revision}}};
}

std::size_t count_of(const net::Request& request, std::string_view name) {
  std::size_t count = 0;
  for (const net::Header& header : request.headers) count += header.name == name ? 1 : 0;
  return count;
}

// "=?base64?...?=" stands for what a header cannot carry.
std::optional<std::string> header_text(std::string_view value) {
  constexpr std::string_view kBegin = "=?base64?";
  constexpr std::string_view kEnd = "?=";
  if (value.size() < kBegin.size() + kEnd.size() || !value.starts_with(kBegin) || !value.ends_with(kEnd))
    return std::string(value);
  value.remove_prefix(kBegin.size());
  value.remove_suffix(kEnd.size());
  std::string alphabet(value);
  while (alphabet.ends_with('=')) alphabet.pop_back();
  for (char& c : alphabet) {
    if (c == '-' || c == '_') return std::nullopt;
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return from_base64url(alphabet);
}

RpcError mismatch(std::string_view header, std::string_view value, std::string_view wanted) {
  return {kHeaderMismatch,
          fmt::format("Header mismatch: {} is '{}', the body says '{}'", header, value, wanted)};
}

}  // namespace

bool is_session_revision(std::string_view revision) {
  return std::find(kSessionRevisions.begin(), kSessionRevisions.end(), revision) != kSessionRevisions.end();
}

Json supported_revisions() {
  Json out = Json::array({kStatelessRevision});
  for (const std::string_view one : kSessionRevisions) out.push_back(one);
  return out;
}

bool speaks_stateless(const net::Request& request, const RpcMessage& message) {
  if (meta_of(message).contains(kVersionKey)) return true;
  const std::string_view header = request.header("mcp-protocol-version");
  if (header == kStatelessRevision) return true;
  if (message.method == "initialize") return false;
  return !header.empty() && !is_session_revision(header);
}

std::expected<McpPeer, RpcError> check_stateless(const net::Request& request, const RpcMessage& message) {
  const Json& meta = meta_of(message);
  for (const char* key : {kVersionKey, kCapabilitiesKey}) {
    if (meta.contains(key)) continue;
    return std::unexpected(
        RpcError{kInvalidParams, fmt::format("params._meta lacks `{}`, which every request carries", key)});
  }
  for (const char* name : {"mcp-protocol-version", "mcp-method", "mcp-name"}) {
    if (count_of(request, name) > 1)
      return std::unexpected(
          RpcError{kHeaderMismatch, fmt::format("Header mismatch: {} is there twice", name)});
  }
  const std::string revision = text_member(meta, kVersionKey);
  const std::string_view said = request.header("mcp-protocol-version");
  if (said != revision) return std::unexpected(mismatch("MCP-Protocol-Version", said, revision));
  const std::string_view method = request.header("mcp-method");
  if (method != message.method) return std::unexpected(mismatch("Mcp-Method", method, message.method));
  const char* named = message.method == "resources/read" ? "uri" : "name";
  const bool has_name =
      message.method == "tools/call" || message.method == "prompts/get" || message.method == "resources/read";
  if (has_name && message.params.contains(named)) {
    const std::string_view header = request.header("mcp-name");
    const auto name = header_text(header);
    const std::string wanted = text_member(message.params, named);
    if (!name || *name != wanted) return std::unexpected(mismatch("Mcp-Name", header, wanted));
  }
  if (revision != kStatelessRevision) return std::unexpected(unsupported(revision));
  McpPeer peer;
  peer.revision = revision;
  read_capabilities(object_member(meta, kCapabilitiesKey), peer);
  return peer;
}

// ---- sessions

// "REVISION.CAPABILITIES.SECONDS.UUID"
McpPeer agree(const RpcMessage& initialize, Random& random, WallTime now) {
  McpPeer peer;
  const std::string asked = text_member(initialize.params, "protocolVersion");
  peer.revision = is_session_revision(asked) ? asked : std::string(kNewestSessionRevision);
  read_capabilities(object_member(initialize.params, "capabilities"), peer);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  peer.session = fmt::format("{}.{}{}.{}.{}", peer.revision, peer.forms ? "f" : "", peer.links ? "l" : "",
                             seconds, new_uuid(random));
  return peer;
}

std::expected<McpPeer, SessionError> session_of(const net::Request& request, WallTime now) {
  const std::string_view id = request.header("mcp-session-id");
  if (id.empty()) {
    return std::unexpected(SessionError{
        400, {kInvalidRequest, "MCP-Session-Id is missing: `initialize` first, and send the id it gives"}});
  }
  const SessionError gone{404, {kServerError, "there is no such session, or it is over: `initialize` again"}};
  std::array<std::string_view, 4> parts;
  std::string_view rest = id.size() <= 128 ? id : std::string_view();
  for (std::string_view& part : parts) {
    const std::size_t end = std::min(rest.find('.'), rest.size());
    part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::int64_t began = 0;
  const std::string_view seconds = parts[2];
  const auto [end, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), began);
  if (error != std::errc() || end != seconds.data() + seconds.size() || !is_session_revision(parts[0]) ||
      !is_uuid(parts[3]) || began < 0 || began > kLastSecond)
    return std::unexpected(gone);
  const WallTime since = WallTime{} + std::chrono::seconds(began);
  if (since > now + std::chrono::minutes(5) || now - since > kSessionLasts) return std::unexpected(gone);
  McpPeer peer;
  peer.revision = parts[0];
  peer.forms = parts[1].find('f') != std::string_view::npos;
  peer.links = parts[1].find('l') != std::string_view::npos;
  peer.session = id;
  const std::string_view said = request.header("mcp-protocol-version");
  if (!said.empty() && !is_session_revision(said))
    return std::unexpected(SessionError{400, unsupported(said)});
  return peer;
}

bool accepts_both(const net::Request& request) {
  const std::string_view accept = request.header("accept");
  return net::wanted(accept, "application/json").weight > 0 &&
         net::wanted(accept, "text/event-stream").weight > 0;
}

int http_status(int code) {
  switch (code) {
    case kMethodNotFound: return 404;
    case kParseError:
    case kInvalidRequest:
    case kInvalidParams:
    case kHeaderMismatch:
    case kUnsupportedRevision: return 400;
    default: return 200;
  }
}

}  // namespace holdfast::interop
