#include "interop/mcp_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/base64.h"
#include "base/sha256.h"
#include "interop/decisions.h"
#include "interop/mcp_answers.h"
#include "interop/mcp_questions.h"
#include "interop/mcp_stream.h"

namespace holdfast::interop {

namespace {

using identity::Caller;

constexpr std::chrono::seconds kAnswerWithin{10};
constexpr std::size_t kMaxState = 4096;
constexpr std::string_view kKey = "dev.holdfast/idempotency-key";

std::string run_of(const McpPeer& peer, const Caller& caller, const Json& id) {
  return "mcp-" +
         sha256_hex(peer.session + "\n" + Host::name_of(caller) + "\n" + dump_json(id)).substr(0, 32);
}

RpcError rpc_error_of(const Host& host, const Status& status) {
  const net::Problem problem = host.problem_of(status);
  const int code = problem.status() == 404 || problem.status() == 400 || problem.status() == 409
                       ? kInvalidParams
                   : problem.status() >= 500 ? kInternalError
                                             : kServerError;
  return {code, problem.detail(), {{"code", problem.code()}}};
}

// What is wrong with a call's arguments; empty: nothing.
std::string wrong_arguments(const Json& arguments, bool is_agent) {
  static constexpr std::array<std::string_view, 3> kOfAgents = {"input", "conversation", "context"};
  for (const auto& [name, value] : arguments.items()) {
    const bool known =
        is_agent ? std::find(kOfAgents.begin(), kOfAgents.end(), name) != kOfAgents.end() : name == "run";
    if (!known) return fmt::format("`{}` is no argument of this tool", name);
    if (name == "context" ? !value.is_object() : !value.is_string())
      return fmt::format("`{}` must be {}", name, name == "context" ? "an object" : "a string");
  }
  const char* needed = is_agent ? "input" : "run";
  return arguments.contains(needed) ? "" : fmt::format("`{}` is missing", needed);
}

// One call on its way to its stream.
struct Call {
  const Host& host;
  const net::Request* request = nullptr;  // while it is served
  McpPeer peer{};
  Caller caller{};
  Json id = nullptr;
  Json progress = nullptr;  // the token; null: none
  std::string tool{};
  Json arguments = Json::object();
  std::string key{};
  Json state = nullptr;           // of a retry
  Json answers = Json::object();  // of people, in a retry
  std::set<std::string> told{};

  std::string run{};
  bool asks = true;       // people, where the client can
  bool outlives = false;  // the run goes on when the client hangs up

  void fail(net::Responder responder, const RpcError& error) const {
    responder.reply(rpc_error_response(id, error, peer.stateless() ? http_status(error.code) : 200));
  }
  void reply(net::Responder responder, Json result) const {
    net::Response response;
    response.body = rpc_result(id, complete(peer, host.build(), std::move(result)));
    responder.reply(std::move(response));
  }
};

std::expected<void, RpcError> read_call(const net::Request& request, const RpcMessage& message, Call& call) {
  const auto invalid = [](std::string why) {
    return std::unexpected(RpcError{kInvalidParams, std::move(why)});
  };
  const Json& meta = object_member(message.params, "_meta");
  call.id = message.id;
  call.tool = text_member(message.params, "name");
  if (call.tool.empty()) return invalid("`name` is missing: which tool is called");
  call.arguments = Json::object();
  if (message.params.contains("arguments")) {
    if (!message.params["arguments"].is_object()) return invalid("`arguments` must be an object");
    call.arguments = message.params["arguments"];
  }
  if (meta.contains("progressToken")) {
    if (!is_rpc_id(meta["progressToken"]))
      return invalid("`progressToken` must be a string or a whole number");
    call.progress = meta["progressToken"];
  }
  if (meta.contains(kKey)) {
    call.key = text_member(meta, kKey);
    if (call.key.empty()) return invalid(fmt::format("`{}` must be a text that is not empty", kKey));
  } else {
    call.key = request.header("idempotency-key");
  }
  if (call.key.size() > runs::kMaxIdBytes)
    return invalid(fmt::format("the idempotency key is longer than {} bytes", runs::kMaxIdBytes));
  if (!call.peer.stateless() || !message.params.contains("requestState")) return {};
  const std::string state = text_member(message.params, "requestState");
  const auto bytes = state.size() <= kMaxState ? from_base64url(state) : std::nullopt;
  call.state = bytes ? parse_json<Json>(*bytes) : Json();
  if (!call.state.is_object() || text_member(call.state, "run").empty())
    return invalid("`requestState` is not one of ours: send back what the result had");
  call.answers = object_member(message.params, "inputResponses");
  return {};
}

// ---- which run it is

// A retry goes on with the run that its state names, which must be the one that this very call began.
std::expected<void, RpcError> find_again(Call& call) {
  call.run = text_member(call.state, "run");
  const auto found = call.host.runs->find(call.run);
  if (!found) return std::unexpected(rpc_error_of(call.host, found.error()));
  const bool same =
      call.tool == kRunTool
          ? text_member(call.arguments, "run") == call.run
          : found->agent == call.tool && found->input == dump_json(call.arguments.value("input", Json()));
  if (!same)
    return std::unexpected(
        RpcError{kInvalidParams, "`requestState` belongs to another call: send both unchanged"});
  call.outlives = bool_member(call.state, "outlives", true);
  return {};
}

std::expected<void, RpcError> start(Call& call) {
  platform::StartIntent intent;
  intent.agent = call.tool;
  intent.input = dump_json(call.arguments["input"]);
  intent.conversation = text_member(call.arguments, "conversation");
  intent.settings = call.host.settings_of(*call.request, intent, call.arguments.value("context", Json()));
  intent.idempotency_key = call.key;
  intent.started_by = Host::name_of(call.caller);
  if (!call.peer.session.empty()) {
    intent.run = run_of(call.peer, call.caller, call.id);
    // Who repeats a call under its key in another session gets its run.
    if (!call.key.empty()) intent.run.clear();
  }
  const auto started = call.host.runs->start(std::move(intent));
  if (!started) return std::unexpected(rpc_error_of(call.host, started.error()));
  call.run = started->run.run;
  call.outlives = !call.peer.stateless() || !call.key.empty() || !started->created;
  return {};
}

// ---- what people said, in a retry

// Each that has an answer; who declines to give one is not asked again in this call.
std::vector<runs::DecisionRequest> decisions_of(Call& call) {
  std::vector<runs::DecisionRequest> out;
  const Json& seen = object_member(call.state, "seen");
  for (const auto& [approval, answer] : call.answers.items()) {
    if (!seen.contains(approval)) continue;  // nobody was asked that
    if (text_member(answer, "action") != "accept") {
      call.asks = false;
      continue;
    }
    const auto about = call.host.runs->approval(approval);
    auto decision = about ? decision_in(answer, *about) : std::nullopt;
    // What is no answer to a question is no end of it: it is asked again.
    if (!about || about->question.empty() || decision) call.told.insert(approval);
    if (!decision || about->run != call.run || !may_answer(call.host, call.caller, *about)) continue;
    decision->approval = approval;
    decision->arguments_sha256 = text_member(seen, approval);
    decision->decided_by = call.caller.name;
    decision->idempotency_key = dump_json(call.id);
    if (decision->arguments_sha256.empty()) continue;  // what was seen is part of a decision
    out.push_back(*std::move(decision));
  }
  return out;
}

// The events of the run from the mark on.
void follow(const Call& call, net::Responder responder, std::string_view mark) {
  McpStreamOptions options;
  options.peer = call.peer;
  options.caller = call.caller;
  options.id = call.id;
  options.progress = call.progress;
  options.run = call.run;
  options.outlives = call.outlives;
  options.told = call.told;
  options.asks = call.asks;
  auto source = std::make_shared<McpStream>(call.host, std::move(options));
  if (Status opened = source->open(mark); !opened.ok())
    return call.fail(std::move(responder), rpc_error_of(call.host, opened));
  serve_stream(std::move(responder), *call.host.streams, {}, source);
}

// Its end if it has one, else its events.
void answer(const Call& call, net::Responder responder) {
  const auto details = call.host.runs->view(call.run);
  if (!details) return call.fail(std::move(responder), rpc_error_of(call.host, details.error()));
  if (const auto end = end_of(*details)) return call.reply(std::move(responder), call_result(call.run, *end));
  follow(call, std::move(responder), {});
}

}  // namespace

void call_tool(const Host& host, const McpPeer& peer, const net::Request& request, const RpcMessage& message,
               net::Responder responder) {
  Call call{.host = host, .request = &request, .peer = peer, .caller = host.caller(request)};
  if (auto read = read_call(request, message, call); !read) {
    call.id = message.id;
    return call.fail(std::move(responder), read.error());
  }
  const bool is_agent = call.tool != kRunTool;
  if (is_agent) {
    if (auto agent = host.store->current_definition(call.tool); !agent) {
      const bool unknown = agent.error().code() == Code::kNotFound;
      return call.fail(std::move(responder), unknown ? RpcError{kInvalidParams, "Unknown tool: " + call.tool}
                                                     : rpc_error_of(host, agent.error()));
    }
  }
  if (const std::string wrong = wrong_arguments(call.arguments, is_agent); !wrong.empty())
    return call.reply(std::move(responder), call_refused(wrong));
  std::expected<void, RpcError> found;
  if (call.state.is_object()) {
    found = find_again(call);
  } else if (is_agent) {
    found = start(call);
  } else {
    call.run = text_member(call.arguments, "run");
    call.outlives = true;
  }
  if (!found) return call.fail(std::move(responder), found.error());
  decide_all(host, decisions_of(call));
  answer(call, std::move(responder));
}

void resume_call(const Host& host, const McpPeer& peer, const net::Request& request,
                 net::Responder responder) {
  const auto bytes = from_base64url(request.header("last-event-id"));
  const Json last = bytes ? parse_json<Json>(*bytes) : Json();
  const std::string run = text_member(last, "run");
  if (run.empty() || !last.contains("id") || !is_rpc_id(last["id"]) || !host.runs->has_log(run)) {
    return responder.reply(rpc_error_response(
        nullptr, {kInvalidRequest, "Last-Event-ID is not one of ours, or its run was deleted: call again"},
        400));
  }
  Call call{.host = host, .request = &request, .peer = peer, .caller = host.caller(request)};
  call.id = last["id"];
  const auto details = host.runs->view(run);
  if (!details) return call.fail(std::move(responder), rpc_error_of(host, details.error()));
  if (details->summary.standing.history_deleted) {
    return call.fail(std::move(responder),
                     {kInvalidRequest, "the history of this call's run was deleted: call again"});
  }
  if (last.contains("progress") && is_rpc_id(last["progress"])) call.progress = last["progress"];
  call.run = run;
  call.outlives = true;
  const std::string mark = text_member(last, "mark");
  follow(call, std::move(responder), mark.empty() ? "~" : mark);
}

void cancel_call(const Host& host, const McpPeer& peer, const net::Request& request,
                 const RpcMessage& message) {
  const auto found = message.params.find("requestId");
  if (found == message.params.end() || !is_rpc_id(*found)) return;
  const std::string run = run_of(peer, host.caller(request), *found);
  if (!host.runs->find(run)) return;
  (void)host.runs->cancel({.run = run,
                           .by = Host::name_of(host.caller(request)),
                           .reason = text_member(message.params, "reason")});
}

void answered(const Host& host, const net::Request& request, const RpcMessage& message) {
  const auto question = read_question(message.id);
  if (!question) return;
  const auto about = host.runs->approval(question->approval);
  if (!about || !may_answer(host, host.caller(request), *about)) return;
  auto decision = decision_in(object_member(message.body, "result"), *about);
  if (!decision || question->arguments_sha256.empty()) return;
  decision->approval = question->approval;
  decision->arguments_sha256 = question->arguments_sha256;
  decision->decided_by = host.caller(request).name;
  decision->idempotency_key = question->approval;
  host.runs->decide(*decision, kAnswerWithin, [](Result<runs::Decided>) {});
}

}  // namespace holdfast::interop
