#include "scripted/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <latch>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "net/server.h"
#include "scripted/playback.h"
#include "scripted/script.h"
#include "scripted/wire.h"

namespace holdfast::model {

namespace {

constexpr std::size_t kMaxConnections = 1024;
constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxBodyBytes = 64 << 20;
constexpr std::size_t kMaxCountedKeys = 100'000;
// Requests that hang without an answer; the oldest one's connection makes room.
constexpr std::size_t kMaxHanging = 512;
constexpr std::chrono::hours kNever{24 * 365};

// Streams are made where they are sent: on the thread of the server.
class Inline : public Executor {
 public:
  void post(Job job) override { job(); }
};

net::Response json_response(int status, std::string body, std::vector<net::Header> headers = {}) {
  return {.status = status, .body = std::move(body), .headers = std::move(headers)};
}

// Everything but the constructor and the destructor runs on the thread of the HTTP server.
class Server : public ScriptedServer {
 public:
  explicit Server(Script script) : script_(std::move(script)) {
    wires_.push_back(scripted_openai());
    wires_.push_back(scripted_responses());
    wires_.push_back(scripted_anthropic());
    wires_.push_back(scripted_gemini());
  }

  ~Server() override {
    if (server_) server_->stop(std::chrono::milliseconds(0));
  }

  Status start(const std::string& host, std::uint16_t port) {
    net::ServerOptions options;
    options.address =
        fmt::format("{}{}{}:{}", host.contains(':') ? "[" : "", host, host.contains(':') ? "]" : "", port);
    options.max_connections = kMaxConnections;
    options.max_header_bytes = kMaxHeaderBytes;
    options.max_body_bytes = kMaxBodyBytes;
    options.heartbeat = kNever;  // a script says what a stream holds
    if (!net::parse_loopback(options.address))
      return Status(Code::kInvalidArgument,
                    fmt::format("the scripted model listens on loopback only, not on {}", host));
    auto server = net::Server::start(options, [this](net::Request request, net::Responder responder) {
      started_.wait();
      answer(std::move(request), std::move(responder));
    });
    if (!server) return server.error();
    server_ = std::move(*server);
    started_.count_down();
    return {};
  }

  std::uint16_t port() const override { return server_->port(); }
  std::string base_url() const override { return fmt::format("http://{}/v1", server_->address()); }
  std::uint64_t requests() const override { return requests_.load(); }

 private:
  void answer(net::Request request, net::Responder responder) {
    if (request.path == "/v1/models" && request.method == "GET") {
      return responder.reply(json_response(200, models_body()));
    }
    const auto wire =
        std::find_if(wires_.begin(), wires_.end(), [&](const auto& one) { return one->takes(request.path); });
    if (wire == wires_.end() || request.method != "POST") {
      return refuse(std::move(responder), *wires_.front(), 404,
                    fmt::format("there is no {} {} here; POST /v1/chat/completions, /v1/responses, "
                                "/v1/messages or /v1beta/models/NAME:generateContent, GET /v1/models",
                                request.method, request.path));
    }
    requests_.fetch_add(1);
    complete(request, std::move(responder), **wire);
  }

  void complete(const net::Request& request, net::Responder responder, const ScriptedWire& wire) {
    if (!authorised(request)) {
      return refuse(std::move(responder), wire, 401, "the API key is not the script's");
    }
    if (const std::string_view header = wire.demanded_header();
        !header.empty() && request.header(header).empty()) {
      return refuse(std::move(responder), wire, 400, fmt::format("{}: header is required", header));
    }
    Result<ScriptedRequest> asked = wire.read(request.path, request.body);
    if (!asked) return refuse(std::move(responder), wire, 400, asked.error().message());
    Result<Script::Choice> choice = script_.choose(*asked);
    if (!choice) return refuse(std::move(responder), wire, 400, choice.error().message());

    const std::optional<ScriptedFault> fault = fault_for(*choice);
    if (fault && fault->kind == ScriptedFault::Kind::kStatus) {
      return responder.reply(json_response(fault->status, wire.error_body(fault->status, *fault),
                                           headers_of(*fault, wire, *asked)));
    }
    if (fault && fault->kind == ScriptedFault::Kind::kHang && fault->after == 0) {
      return hang(std::move(responder));
    }
    if (asked->stream) return stream(std::move(responder), wire, *asked, choice->reply, fault);
    // A cut or broken answer without a stream is a connection that closes.
    if (fault) return responder.drop();
    whole(std::move(responder), wire, *asked, choice->reply);
  }

  void whole(net::Responder responder, const ScriptedWire& wire, const ScriptedRequest& asked,
             const ScriptedReply& reply) {
    net::Response response = json_response(200, wire.whole(asked, reply), id_header(wire, asked));
    if (reply.delay.count() == 0) return responder.reply(std::move(response));
    server_->after(reply.delay, [responder = std::move(responder), response = std::move(response)]() mutable {
      responder.reply(std::move(response));
    });
  }

  void stream(net::Responder responder, const ScriptedWire& wire, const ScriptedRequest& asked,
              const ScriptedReply& reply, const std::optional<ScriptedFault>& fault) {
    struct Playing {
      Playback playback;
      std::weak_ptr<net::Stream> stream;  // which holds this
    };
    auto playing = std::make_shared<Playing>(
        Playback(wire.frames(asked, reply), reply, fault, fault ? wire.error_frame(*fault) : std::string()),
        std::weak_ptr<net::Stream>());
    net::Response head{.content_type = "text/event-stream", .headers = id_header(wire, asked)};
    head.headers.push_back({"Cache-Control", "no-cache"});
    playing->stream = responder.stream(std::move(head), inline_, [this, playing] {
      return playing->playback.next([this, &playing](std::chrono::milliseconds delay) {
        server_->after(delay, [stream = playing->stream] {
          if (const auto open = stream.lock()) open->wake();
        });
      });
    });
  }

  // Until the client has enough.
  void hang(net::Responder responder) {
    if (hanging_.size() == kMaxHanging) {
      hanging_.front().drop();
      hanging_.pop_front();
    }
    hanging_.push_back(std::move(responder));
  }

  static void refuse(net::Responder responder, const ScriptedWire& wire, int status, std::string why) {
    ScriptedFault fault;
    fault.message = std::move(why);
    responder.reply(json_response(status, wire.error_body(status, fault)));
  }

  static std::vector<net::Header> id_header(const ScriptedWire& wire, const ScriptedRequest& asked) {
    if (wire.request_id_header().empty()) return {};
    return {{std::string(wire.request_id_header()), "req_" + stable_id(asked)}};
  }

  static std::vector<net::Header> headers_of(const ScriptedFault& fault, const ScriptedWire& wire,
                                             const ScriptedRequest& asked) {
    std::vector<net::Header> out = id_header(wire, asked);
    if (!fault.retry_after.empty()) out.push_back({"retry-after", fault.retry_after});
    if (!fault.retry_after_ms.empty()) out.push_back({"retry-after-ms", fault.retry_after_ms});
    if (!fault.should_retry.empty()) out.push_back({"x-should-retry", fault.should_retry});
    return out;
  }

  bool authorised(const net::Request& request) const {
    if (script_.api_key().empty()) return true;
    for (const char* name : {"x-api-key", "x-goog-api-key", "api-key"}) {
      if (request.header(name) == script_.api_key()) return true;
    }
    return request.header("authorization") == "Bearer " + script_.api_key();
  }

  // The fault for this request: those with `first` have their turn one after another, each for so many
  // requests.
  std::optional<ScriptedFault> fault_for(const Script::Choice& choice) {
    if (choice.reply.faults.empty()) return std::nullopt;
    if (counts_.size() >= kMaxCountedKeys) counts_.clear();
    std::uint64_t number = counts_[choice.key]++;
    for (const ScriptedFault& fault : choice.reply.faults) {
      if (!fault.first) return fault;
      if (number < *fault.first) return fault;
      number -= *fault.first;
    }
    return std::nullopt;
  }

  std::string models_body() const {
    nlohmann::ordered_json data = nlohmann::ordered_json::array();
    for (const std::string& model : script_.models()) {
      data.push_back(
          {{"id", model}, {"object", "model"}, {"created", 1'700'000'000}, {"owned_by", "script"}});
    }
    return dump_json(nlohmann::ordered_json{{"object", "list"}, {"data", std::move(data)}});
  }

  const Script script_;
  std::vector<std::unique_ptr<ScriptedWire>> wires_;
  std::map<std::string, std::uint64_t> counts_;  // requests so far, by what faults count
  std::atomic<std::uint64_t> requests_ = 0;
  Inline inline_;
  std::latch started_{1};
  std::unique_ptr<net::Server> server_;
  // Destroyed before the server's memory, after its thread.
  std::deque<net::Responder> hanging_;
};

}  // namespace

Result<std::unique_ptr<ScriptedServer>> start_scripted_server(const ScriptedOptions& options) {
  Result<Script> script = Script::parse(options.script, options.name);
  if (!script) return fail(script.error());
  auto server = std::make_unique<Server>(std::move(*script));
  if (Status status = server->start(options.host, options.port); !status.ok()) return fail(status);
  return server;
}

}  // namespace holdfast::model
