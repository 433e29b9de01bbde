#include "interop/mcp_server.h"

#include <fmt/format.h>

#include "interop/mcp_answers.h"
#include "interop/mcp_call.h"

namespace holdfast::interop {

namespace {

using Kind = RpcMessage::Kind;

constexpr std::size_t kMaxBatch = 100;

net::Response accepted() {
  net::Response response;
  response.status = 202;
  response.content_type.clear();
  return response;
}

net::Response answer(const Json& id, Json result) {
  net::Response response;
  response.body = rpc_result(id, std::move(result));
  return response;
}

RpcError unknown_method(const std::string& method) {
  return {kMethodNotFound, fmt::format("Method not found: {}", method.substr(0, 100))};
}

// ---- without a session

void serve_stateless(const Host& host, const net::Request& request, const RpcMessage& message,
                     net::Responder responder) {
  if (message.kind == Kind::kNotification) {
    const std::string_view revision = request.header("mcp-protocol-version");
    if (revision == kStatelessRevision) return responder.reply(accepted());
  }
  if (message.kind == Kind::kResponse) {
    return responder.reply(
        rpc_error_response(nullptr, {kInvalidRequest, "this revision has no responses of clients"}, 400));
  }
  const auto peer = check_stateless(request, message);
  if (!peer)
    return responder.reply(rpc_error_response(message.id, peer.error(), http_status(peer.error().code)));
  if (message.method == "server/discover")
    return responder.reply(answer(message.id, discover_result(host.build())));
  if (message.method == "tools/list") {
    auto tools = list_tools(host, *peer, message.params);
    if (!tools)
      return responder.reply(rpc_error_response(message.id, tools.error(), http_status(tools.error().code)));
    return responder.reply(answer(message.id, complete(*peer, host.build(), *std::move(tools))));
  }
  if (message.method == "tools/call") return call_tool(host, *peer, request, message, std::move(responder));
  responder.reply(rpc_error_response(message.id, unknown_method(message.method), 404));
}

// ---- with a session

void initialize(const Host& host, const RpcMessage& message, net::Responder responder) {
  if (message.kind != Kind::kRequest) {
    return responder.reply(
        rpc_error_response(nullptr, {kInvalidRequest, "`initialize` is a request and has an id"}, 400));
  }
  if (text_member(message.params, "protocolVersion").empty()) {
    return responder.reply(
        rpc_error_response(message.id, {kInvalidParams, "`protocolVersion` is missing"}, 400));
  }
  const McpPeer peer = agree(message, host.environment->random(), host.environment->clock().now());
  net::Response response = answer(message.id, initialize_result(peer, host.build()));
  response.headers.push_back({"MCP-Session-Id", peer.session});
  responder.reply(std::move(response));
}

// What is answered in a line; none: a call, whose answer takes as long as its run.
std::optional<std::string> short_answer(const Host& host, const McpPeer& peer, const net::Request& request,
                                        const RpcMessage& message) {
  if (message.method == "ping") return rpc_result(message.id, Json::object());
  if (message.method == "tools/list") {
    auto tools = list_tools(host, peer, message.params);
    return tools ? rpc_result(message.id, *std::move(tools)) : rpc_error(message.id, tools.error());
  }
  if (message.method == "tools/call") return std::nullopt;
  return rpc_error(message.id, unknown_method(message.method));
}

void take_note(const Host& host, const McpPeer& peer, const net::Request& request,
               const RpcMessage& message) {
  if (message.kind == Kind::kResponse) return answered(host, request, message);
  if (message.method == "notifications/cancelled") cancel_call(host, peer, request, message);
}

// Each message of a batch as if it had come alone; a call would keep the others waiting.
void serve_batch(const Host& host, const net::Request& request, Json batch, net::Responder responder) {
  const auto peer = session_of(request, host.environment->clock().now());
  if (!peer) return responder.reply(rpc_error_response(nullptr, peer.error().error, peer.error().status));
  const auto refuse = [&](std::string why) {
    responder.reply(rpc_error_response(nullptr, {kInvalidRequest, std::move(why)}, 400));
  };
  if (peer->revision != kBatchRevision)
    return refuse(fmt::format("batches belong to revision {}: send one message at a time", kBatchRevision));
  if (batch.empty() || batch.size() > kMaxBatch)
    return refuse(fmt::format("a batch has 1 to {} messages", kMaxBatch));
  std::string out;
  for (Json& one : batch) {
    auto message = rpc_message(std::move(one));
    std::optional<std::string> text;
    if (!message) {
      text = rpc_error(nullptr, message.error());
    } else if (message->kind != Kind::kRequest) {
      take_note(host, *peer, request, *message);
      continue;
    } else {
      text = short_answer(host, *peer, request, *message);
      if (!text)
        text =
            rpc_error(message->id, {kInvalidRequest, "tools/call is sent alone: its answer takes its time"});
    }
    out += (out.empty() ? "[" : ",") + *text;
  }
  if (out.empty()) return responder.reply(accepted());
  net::Response response;
  response.body = out + "]";
  responder.reply(std::move(response));
}

void serve_session(const Host& host, const net::Request& request, const RpcMessage& message,
                   net::Responder responder) {
  if (message.method == "initialize") return initialize(host, message, std::move(responder));
  const auto peer = session_of(request, host.environment->clock().now());
  if (!peer) return responder.reply(rpc_error_response(message.id, peer.error().error, peer.error().status));
  if (message.kind != Kind::kRequest) {
    take_note(host, *peer, request, message);
    return responder.reply(accepted());
  }
  if (auto text = short_answer(host, *peer, request, message)) {
    net::Response response;
    response.body = *std::move(text);
    return responder.reply(std::move(response));
  }
  call_tool(host, *peer, request, message, std::move(responder));
}

}  // namespace

void McpServer::post(const net::Request& request, net::Responder responder) const {
  if (!accepts_both(request)) {
    return responder.reply(rpc_error_response(
        nullptr, {kInvalidRequest, "send Accept: application/json, text/event-stream"}, 406));
  }
  auto body = read_rpc(request);
  if (!body) {
    return responder.reply(rpc_error_response(nullptr, body.error(), is_json(request) ? 400 : 415));
  }
  if (body->is_array()) {
    if (request.header("mcp-protocol-version") != kStatelessRevision)
      return serve_batch(host_, request, *std::move(body), std::move(responder));
  }
  auto message = rpc_message(*std::move(body));
  if (!message) return responder.reply(rpc_error_response(nullptr, message.error(), 400));
  if (speaks_stateless(request, *message)) {
    serve_stateless(host_, request, *message, std::move(responder));
  } else {
    serve_session(host_, request, *message, std::move(responder));
  }
}

void McpServer::get(const net::Request& request, net::Responder responder) const {
  const bool resumes = !request.header("last-event-id").empty() &&
                       request.header("mcp-protocol-version") != kStatelessRevision;
  if (!resumes) {
    net::Response refused = rpc_error_response(
        nullptr,
        {kInvalidRequest, "there is nothing to listen to: GET takes up a stream, with Last-Event-ID"}, 405);
    refused.headers.push_back({"Allow", "POST"});
    return responder.reply(std::move(refused));
  }
  const auto peer = session_of(request, host_.environment->clock().now());
  if (!peer) return responder.reply(rpc_error_response(nullptr, peer.error().error, peer.error().status));
  resume_call(host_, *peer, request, std::move(responder));
}

}  // namespace holdfast::interop
