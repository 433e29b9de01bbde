#pragma once

// Messages of JSON-RPC 2.0, as MCP and A2A use it over HTTP. Pure.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/json.h"
#include "net/message.h"

namespace holdfast::interop {

using Json = nlohmann::ordered_json;

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kServerError = -32000;

struct RpcError {
  int code = kInternalError;
  std::string message;
  Json data = nullptr;
};

struct RpcMessage {
  enum class Kind : std::uint8_t { kRequest, kNotification, kResponse };
  Kind kind = Kind::kRequest;
  Json id = nullptr;
  std::string method;
  Json params = Json::object();
  Json body;  // all of it
};

// Ids and tokens of clients are kept while their request is served.
inline constexpr std::size_t kMaxRpcIdBytes = 256;
// Whether it may be the id of a request, or a progress token: a string or a whole number.
bool is_rpc_id(const Json& id);

// Whether the request says that its body is JSON that can be read: in UTF-8.
bool is_json(const net::Request& request);
// A body, which may be a batch: then an array.
std::expected<Json, RpcError> read_rpc(const net::Request& request);
std::expected<RpcMessage, RpcError> rpc_message(Json body);

std::string rpc_result(const Json& id, Json result);
std::string rpc_error(const Json& id, const RpcError& error);
net::Response rpc_error_response(const Json& id, const RpcError& error, int status);

// The member as text, "" when it is absent or something else.
std::string text_member(const Json& object, std::string_view name);
// The member when it is true or false, else the fallback.
bool bool_member(const Json& object, std::string_view name, bool fallback);
// The member when it is an object, else an empty one.
const Json& object_member(const Json& object, std::string_view name);

}  // namespace holdfast::interop
