#include "scripted/server.h"

#include <fmt/format.h>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <map>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "scripted/script.h"
#include "scripted/wire.h"

namespace holdfast::model {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using HttpIn = http::request<http::string_body>;

constexpr std::size_t kMaxConnections = 1024;
constexpr std::size_t kMaxBodyBytes = 64 << 20;
constexpr std::size_t kMaxCountedKeys = 100'000;

// Runs everything on one thread: the io_context's.
class Server : public ScriptedServer {
 public:
  explicit Server(Script script)
      : script_(std::move(script)),
        openai_(scripted_openai()),
        anthropic_(scripted_anthropic()),
        acceptor_(io_) {}

  ~Server() override {
    if (!started_) return;
    io_.stop();
    ended_.wait();
  }

  Status listen(const std::string& host, std::uint16_t port) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
    if (error || !address.is_loopback()) {
      return Status(Code::kInvalidArgument,
                    fmt::format("the scripted model listens on loopback only, not on {}", host));
    }
    acceptor_.open(address.is_v6() ? tcp::v6() : tcp::v4(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind({address, port}, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return Status(Code::kUnavailable,
                    fmt::format("cannot listen on {}:{}: {}", host, port, error.message()));
    port_ = acceptor_.local_endpoint().port();
    host_ = address.is_v6() ? fmt::format("[{}]", address.to_string()) : address.to_string();
    return {};
  }

  void start(Executor& loop) {
    started_ = true;
    asio::co_spawn(io_, accept(), asio::detached);
    // The promise belongs to the job: the destructor may go on while it is still being kept.
    auto ended = std::make_shared<std::promise<void>>();
    ended_ = ended->get_future();
    loop.post([this, ended] {
      io_.run();
      ended->set_value();
    });
  }

  std::uint16_t port() const override { return port_; }
  std::string base_url() const override { return fmt::format("http://{}:{}/v1", host_, port_); }
  std::uint64_t requests() const override { return requests_.load(); }

 private:
  asio::awaitable<void> accept() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (error == asio::error::operation_aborted) co_return;
      if (error || connections_ >= kMaxConnections) continue;
      socket.set_option(tcp::no_delay(true), error);
      asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> serve(tcp::socket socket) {
    ++connections_;
    try {
      beast::flat_buffer buffer;
      bool keep = true;
      while (keep) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(kMaxBodyBytes);
        co_await http::async_read(socket, buffer, parser, asio::use_awaitable);
        keep = co_await answer(socket, parser.release());
      }
    } catch (const std::exception&) {
      // The client has gone, or sent what is no HTTP: nothing to tell anybody.
    }
    --connections_;
  }

  // Returns whether the connection serves another request.
  asio::awaitable<bool> answer(tcp::socket& socket, HttpIn request) {
    const std::string_view target(request.target().data(), request.target().size());
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/v1/models" && request.method() == http::verb::get) {
      co_return co_await send(socket, request, 200, models_body(), {});
    }
    const ScriptedWire* wire = path == "/v1/chat/completions" ? openai_.get()
                               : path == "/v1/messages"       ? anthropic_.get()
                                                              : nullptr;
    if (wire == nullptr || request.method() != http::verb::post) {
      ScriptedFault fault;
      fault.message =
          fmt::format("there is no {} {} here; POST /v1/chat/completions or /v1/messages, GET /v1/models",
                      std::string(request.method_string()), path);
      co_return co_await send(socket, request, 404, openai_->error_body(404, fault), {});
    }
    requests_.fetch_add(1);
    co_return co_await complete(socket, request, *wire);
  }

  asio::awaitable<bool> complete(tcp::socket& socket, const HttpIn& request, const ScriptedWire& wire) {
    if (!authorised(request))
      co_return co_await refuse(socket, request, wire, 401, "the API key is not the script's");
    if (&wire == anthropic_.get() && request["anthropic-version"].empty()) {
      co_return co_await refuse(socket, request, wire, 400, "anthropic-version: header is required");
    }
    Result<ScriptedRequest> asked = wire.read(request.body());
    if (!asked) co_return co_await refuse(socket, request, wire, 400, asked.error().message());
    Result<Script::Choice> choice = script_.choose(*asked);
    if (!choice) co_return co_await refuse(socket, request, wire, 400, choice.error().message());

    const std::optional<ScriptedFault> fault = fault_for(*choice);
    if (fault && fault->kind == ScriptedFault::Kind::kStatus) {
      co_return co_await send(socket, request, fault->status, wire.error_body(fault->status, *fault),
                              headers_of(*fault, wire, *asked));
    }
    if (fault && fault->kind == ScriptedFault::Kind::kHang && fault->after == 0) {
      co_await hang(socket);
      co_return false;
    }
    if (!asked->stream && !fault) {
      co_await wait(choice->reply.delay);
      const Headers headers = {{std::string(wire.request_id_header()), "req_" + stable_id(*asked)}};
      co_return co_await send(socket, request, 200, wire.whole(*asked, choice->reply), headers);
    }
    if (!asked->stream)
      co_return false;  // a cut or broken answer without a stream is a connection that closes
    co_return co_await stream(socket, request, wire, *asked, choice->reply, fault);
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  asio::awaitable<bool> stream(tcp::socket& socket, const HttpIn& request, const ScriptedWire& wire,
                               const ScriptedRequest& asked, const ScriptedReply& reply,
                               const std::optional<ScriptedFault>& fault) {
    const std::vector<std::string> frames = wire.frames(asked, reply);
    co_await write(
        socket, reply,
        fmt::format("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                    "Transfer-Encoding: chunked\r\n{}: req_{}\r\n\r\n",
                    wire.request_id_header(), stable_id(asked)));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (fault && i == fault->after) co_return co_await misbehave(socket, wire, reply, *fault);
      co_await wait(reply.delay);
      co_await write(socket, reply, chunk_of(frames[i]));
    }
    if (fault) co_return co_await misbehave(socket, wire, reply, *fault);
    co_await write(socket, reply, "0\r\n\r\n");
    co_return request.keep_alive();
  }

  asio::awaitable<bool> misbehave(tcp::socket& socket, const ScriptedWire& wire, const ScriptedReply& reply,
                                  const ScriptedFault& fault) {
    if (fault.kind == ScriptedFault::Kind::kHang) co_await hang(socket);
    if (fault.kind == ScriptedFault::Kind::kStreamError)
      co_await write(socket, reply, chunk_of(wire.error_frame(fault)) + "0\r\n\r\n");
    co_return false;
  }

  static std::string chunk_of(const std::string& frame) {
    return fmt::format("{:x}\r\n{}\r\n", frame.size(), frame);
  }

  static asio::awaitable<void> write(tcp::socket& socket, const ScriptedReply& reply,
                                     const std::string bytes) {
    const std::size_t step = reply.write_bytes == 0 ? bytes.size() : reply.write_bytes;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      co_await asio::async_write(socket, asio::buffer(bytes.data() + at, std::min(step, bytes.size() - at)),
                                 asio::use_awaitable);
    }
  }

  asio::awaitable<void> wait(std::chrono::milliseconds time) {
    if (time.count() == 0) co_return;
    asio::steady_timer timer(io_, time);
    co_await timer.async_wait(asio::use_awaitable);
  }

  // Until the client has enough.
  static asio::awaitable<void> hang(tcp::socket& socket) {
    co_await socket.async_wait(tcp::socket::wait_read, asio::use_awaitable);
  }

  asio::awaitable<bool> refuse(tcp::socket& socket, const HttpIn& request, const ScriptedWire& wire,
                               int status, std::string why) {
    ScriptedFault fault;
    fault.message = std::move(why);
    co_return co_await send(socket, request, status, wire.error_body(status, fault), {});
  }

  static asio::awaitable<bool> send(tcp::socket& socket, const HttpIn& request, int status, std::string body,
                                    Headers headers) {
    http::response<http::string_body> out;
    out.version(11);
    out.result(static_cast<unsigned>(status));
    out.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : headers) out.set(name, value);
    out.keep_alive(request.keep_alive());
    out.body() = std::move(body);
    out.prepare_payload();
    co_await http::async_write(socket, out, asio::use_awaitable);
    co_return request.keep_alive();
  }

  static Headers headers_of(const ScriptedFault& fault, const ScriptedWire& wire,
                            const ScriptedRequest& asked) {
    Headers out = {{std::string(wire.request_id_header()), "req_" + stable_id(asked)}};
    if (!fault.retry_after.empty()) out.emplace_back("retry-after", fault.retry_after);
    if (!fault.retry_after_ms.empty()) out.emplace_back("retry-after-ms", fault.retry_after_ms);
    if (!fault.should_retry.empty()) out.emplace_back("x-should-retry", fault.should_retry);
    return out;
  }

  bool authorised(const HttpIn& request) const {
    if (script_.api_key().empty()) return true;
    return request["x-api-key"] == script_.api_key() ||
           request["authorization"] == "Bearer " + script_.api_key();
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
    return nlohmann::ordered_json{{"object", "list"}, {"data", std::move(data)}}.dump();
  }

  const Script script_;
  const std::unique_ptr<ScriptedWire> openai_;
  const std::unique_ptr<ScriptedWire> anthropic_;
  std::map<std::string, std::uint64_t> counts_;  // requests so far, by what faults count
  std::size_t connections_ = 0;
  std::atomic<std::uint64_t> requests_ = 0;
  std::uint16_t port_ = 0;
  std::string host_;
  bool started_ = false;
  std::future<void> ended_;
  // Last: its destructor ends the connections, which use what is above.
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
};

}  // namespace

Result<std::unique_ptr<ScriptedServer>> start_scripted_server(const ScriptedOptions& options,
                                                              Executor& loop) {
  Result<Script> script = Script::parse(options.script, options.name);
  if (!script) return fail(script.error());
  auto server = std::make_unique<Server>(std::move(*script));
  if (Status status = server->listen(options.host, options.port); !status.ok()) return fail(status);
  server->start(loop);
  return server;
}

}  // namespace holdfast::model
