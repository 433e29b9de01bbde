#include "interop/json_rpc.h"

#include <fmt/format.h>

#include "base/json_repeats.h"
#include "net/content_type.h"

namespace holdfast::interop {

bool is_rpc_id(const Json& id) {
  if (id.is_string()) return id.get_ref<const std::string&>().size() <= kMaxRpcIdBytes;
  return id.is_number_integer();
}

bool is_json(const net::Request& request) {
  const std::string_view type = request.header("content-type");
  return net::media_type(type) == "application/json" && net::is_utf8_text(type);
}

std::expected<Json, RpcError> read_rpc(const net::Request& request) {
  if (!is_json(request)) {
    return std::unexpected(
        RpcError{kInvalidRequest, "the body must be application/json in UTF-8: send Content-Type: application/json"});
  }
  if (nests_deeper(request.body, kMaxForeignJsonDepth)) {
    return std::unexpected(
        RpcError{kInvalidRequest, fmt::format("the body nests deeper than {} levels", kMaxForeignJsonDepth)});
  }
  auto read = read_json<Json>(request.body, kMaxJsonDepth, Integers::kExact);
  if (!read) {
    return std::unexpected(
        RpcError{kParseError, fmt::format("the body is not valid JSON: {}", read.error().message())});
  }
  if (const auto twice = repeated_member(request.body)) {
    return std::unexpected(
        RpcError{kParseError, fmt::format("an object of the body has the member '{}' twice", *twice)});
  }
  return *std::move(read);
}

std::expected<RpcMessage, RpcError> rpc_message(Json body) {
  const auto invalid = [](std::string why) {
    return std::unexpected(RpcError{kInvalidRequest, std::move(why)});
  };
  if (!body.is_object() || text_member(body, "jsonrpc") != "2.0")
    return invalid("the body must be one message of JSON-RPC 2.0");
  RpcMessage out;
  const bool has_id = body.contains("id");
  if (has_id && !is_rpc_id(body["id"]))
    return invalid(
        fmt::format("`id` must be a string of at most {} bytes or a whole number", kMaxRpcIdBytes));
  if (has_id) out.id = body["id"];
  if (body.contains("method")) {
    if (!body["method"].is_string()) return invalid("`method` must be a string");
    out.kind = has_id ? RpcMessage::Kind::kRequest : RpcMessage::Kind::kNotification;
    out.method = body["method"].get<std::string>();
  } else if (has_id && (body.contains("result") || body.contains("error"))) {
    out.kind = RpcMessage::Kind::kResponse;
  } else {
    return invalid("the message is no request, no notification and no response");
  }
  if (body.contains("params")) {
    if (!body["params"].is_object()) return invalid("`params` must be an object");
    out.params = body["params"];
  }
  out.body = std::move(body);
  return out;
}

std::string rpc_result(const Json& id, Json result) {
  Json out = {{"jsonrpc", "2.0"}, {"id", id}};
  out["result"] = std::move(result);
  return dump_json(out);
}

std::string rpc_error(const Json& id, const RpcError& error) {
  Json out = {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", error.code}, {"message", error.message}}}};
  if (!error.data.is_null()) out["error"]["data"] = error.data;
  return dump_json(out);
}

net::Response rpc_error_response(const Json& id, const RpcError& error, int status) {
  net::Response response;
  response.status = status;
  response.body = rpc_error(id, error);
  return response;
}

std::string text_member(const Json& object, std::string_view name) {
  if (!object.is_object()) return "";
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool bool_member(const Json& object, std::string_view name, bool fallback) {
  if (!object.is_object()) return fallback;
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

const Json& object_member(const Json& object, std::string_view name) {
  static const Json empty = Json::object();
  if (!object.is_object()) return empty;
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : empty;
}

}  // namespace holdfast::interop
