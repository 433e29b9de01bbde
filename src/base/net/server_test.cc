// The HTTP server over real sockets on loopback: what a client sees when it behaves, when it sends too much,
// too slowly or nonsense, when a web page elsewhere tries to use it, and how streams end.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

#include "net/problem.h"
#include "net/router.h"
#include "net/server.h"
#include "os/thread_executor.h"

namespace holdfast::net {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class Client {
 public:
  explicit Client(std::uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval wait{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Everything until `mark` has been seen, or the connection ends.
  std::string read_until(std::string_view mark) {
    while (received_.find(mark) == std::string::npos) {
      char buffer[65536];
      ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      received_.append(buffer, static_cast<std::size_t>(got));
    }
    return received_;
  }
  void finish() { ::shutdown(fd_, SHUT_WR); }
  std::string read_all() { return read_until("\x01never\x01"); }
  void clear() { received_.clear(); }

 private:
  int fd_ = -1;
  bool connected_ = false;
  std::string received_;
};

class HttpServer : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.address = "127.0.0.1:0";
    router_.add("GET", "/hello/{name}",
                [](Request request, Responder responder) {
                  responder.reply(
                      {.content_type = "text/plain", .body = "hello " + std::string(request.param("name"))});
                },
                {"x"});
    router_.add("POST", "/echo", [](Request request, Responder responder) {
      responder.reply({.status = 201, .content_type = "text/plain", .body = request.body});
    });
    router_.add("GET", "/drop", [](Request, Responder) {});
    router_.add("GET", "/stream",
                [this](Request request, Responder responder) {
                  std::string type(request.query_value("type").value_or("text/event-stream"));
                  auto stream = responder.stream({.content_type = std::move(type)}, executor_, [this]() {
                    std::lock_guard lock(mutex_);
                    ++pulls_;
                    changed_.notify_all();
                    if (frames_.empty()) return done_ ? std::nullopt : std::optional<std::string>("");
                    std::string frame = std::move(frames_.front());
                    frames_.pop_front();
                    return std::optional<std::string>(std::move(frame));
                  });
                  std::lock_guard lock(mutex_);
                  stream_ = stream;
                  changed_.notify_all();
                },
                {"type"});
    auto server = Server::start(options, [this](Request request, Responder responder) {
      router_.handle(std::move(request), std::move(responder));
    });
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
  }

  std::string exchange(std::string_view request) {
    Client client(server_->port());
    client.send(request);
    return client.read_all();
  }
  std::string get(std::string_view path, std::string_view headers = "") {
    return exchange("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                    std::string(headers) + "\r\n");
  }
  void push(std::string frame) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stream_ != nullptr; });
    frames_.push_back(std::move(frame));
    stream_->wake();
  }

  os::ThreadExecutor executor_{"api"};
  Router router_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> frames_;
  std::shared_ptr<Stream> stream_;
  int pulls_ = 0;
  bool done_ = false;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, AnswersWithSecurityHeadersAndDecodedParameters) {
  start();
  std::string answer = get("/hello/J%C3%BCrgen%20X?x=1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nhello J\xC3\xBCrgen X"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("Access-Control-Allow-Origin")));
}

TEST_F(HttpServer, AMisspelledParameterIsNoParameter) {
  start();
  std::string answer = get("/hello/a?y=1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer, HasSubstr("the parameters are: x"));
}

TEST_F(HttpServer, WhatMayComeOnceIsRefusedTwice) {
  router_.add("GET", "/many", [](Request, Responder responder) { responder.reply({}); }, {"one", "each*"});
  start();
  EXPECT_THAT(get("/many?one=1&each=1&each=2"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/many?one=1&each=1&one=2"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("'one' comes more")));
  EXPECT_THAT(get("/many", "Idempotency-Key: a\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/many", "Idempotency-Key: \r\n"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("is empty")));
  EXPECT_THAT(get("/many", "Idempotency-Key: a\r\nIdempotency-Key: b\r\n"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("invalid_header")));
  EXPECT_THAT(get("/many", "Accept: a/b\r\nAccept: c/d\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServer, TheAbsoluteFormIsThePath) {
  start();
  EXPECT_THAT(get("http://localhost/hello/a?x=1"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("http://localhost"), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServer, KeepsConnectionsAndAnswersPipelinedRequestsInOrder) {
  start();
  Client client(server_->port());
  client.send(
      "GET /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello/b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string answer = client.read_until("hello b");
  EXPECT_LT(answer.find("hello a"), answer.find("hello b"));
}

TEST_F(HttpServer, HeadHasTheHeadersOfGetAndNoBody) {
  start();
  std::string answer = exchange("HEAD /hello/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServer, UnknownPathsAndMethodsAreProblems) {
  start();
  EXPECT_THAT(get("/nothing"), HasSubstr("HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json"));
  std::string answer = exchange("DELETE /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("405 Method Not Allowed"));
  EXPECT_THAT(answer, HasSubstr("Allow: POST"));
  EXPECT_THAT(answer, HasSubstr("\"code\":\"method_not_allowed\""));
}

TEST_F(HttpServer, ADroppedRequestIsAnInternalError) {
  start();
  EXPECT_THAT(get("/drop"), StartsWith("HTTP/1.1 500"));
}

TEST_F(HttpServer, WhatAHandlerThrowsIsAnAnswerOfThatRequest) {
  router_.add("GET", "/throw", [](Request, Responder) { throw std::runtime_error("no such luck"); });
  router_.add("GET", "/broken-stream", [this](Request, Responder responder) {
    auto stream =
        responder.stream({.content_type = "text/event-stream"}, executor_,
                         []() -> std::optional<std::string> { throw std::runtime_error("no luck"); });
    stream->wake();
  });
  start();
  EXPECT_THAT(get("/throw"), testing::AllOf(StartsWith("HTTP/1.1 500"), testing::Not(HasSubstr("luck"))));
  const std::string broken = get("/broken-stream");
  EXPECT_THAT(broken, StartsWith("HTTP/1.1 200"));
  EXPECT_FALSE(broken.ends_with("0\r\n\r\n"));  // no end that could be taken for one
  EXPECT_THAT(get("/hello/a"), HasSubstr("hello a"));
}

TEST_F(HttpServer, AHandlerMayBreakOffAsAServerThatDiesWould) {
  router_.add("GET", "/gone", [](Request, Responder responder) { responder.drop(); });
  router_.add("GET", "/cut", [this](Request, Responder responder) {
    responder.stream({.content_type = "text/event-stream"}, executor_,
                     [first = true]() mutable -> std::optional<std::string> {
                       if (!std::exchange(first, false)) throw StreamCut();
                       return "half of it";
                     });
  });
  start();
  EXPECT_EQ(get("/gone"), "");
  const std::string cut = get("/cut");
  EXPECT_THAT(cut, HasSubstr("half of it"));
  EXPECT_FALSE(cut.ends_with("0\r\n\r\n"));
}

TEST_F(HttpServer, RefusesNonsense) {
  start();
  EXPECT_THAT(exchange("hello\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(exchange("GET /hello/a HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(get("/hello/a", "X: a\r\n b\r\n"), HasSubstr("a header line is folded"));
  EXPECT_THAT(exchange("GET /hello/a HTTP/1.1\nHost: localhost\n\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServer, LimitsHeadersAndBodies) {
  start({.max_header_bytes = 1024, .max_body_bytes = 1000});
  EXPECT_THAT(get("/hello/a", "X-Big: " + std::string(4000, 'x') + "\r\n"), StartsWith("HTTP/1.1 431"));
  std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  EXPECT_THAT(exchange(head + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'y')),
              StartsWith("HTTP/1.1 201"));
  EXPECT_THAT(exchange(head + "Content-Length: 1001\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(exchange(head + "Transfer-Encoding: chunked\r\n\r\n800\r\n" + std::string(0x800, 'z') +
                       "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServer, BodiesAndRepliesDrawOnOneBudget) {
  MemoryBudget memory("HTTP", 3000);
  std::optional<Request> kept;
  std::optional<Responder> held;
  router_.add("POST", "/keep", [&](Request request, Responder responder) {
    std::lock_guard lock(mutex_);
    kept = std::move(request);
    held.emplace(std::move(responder));
    changed_.notify_all();
  });
  router_.add("GET", "/large", [](Request, Responder responder) {
    responder.reply({.content_type = "text/plain", .body = std::string(2500, 'z')});
  });
  start({.memory = &memory});
  const std::string head =
      " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n";
  Client first(server_->port());
  first.send("POST /keep" + head + std::string(2000, 'a'));
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held.has_value(); });
  }
  EXPECT_EQ(memory.used(), 2000U);
  // What is only announced counts for nothing, what arrives is refused when there is no room.
  Client second(server_->port());
  second.send("POST /echo" + head);
  EXPECT_THAT(get("/hello/a"), StartsWith("HTTP/1.1 200"));
  second.send(std::string(2000, 'b'));
  EXPECT_THAT(second.read_all(), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(get("/large"), testing::AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("out_of_memory")));
  kept.reset();
  EXPECT_THAT(get("/large"), HasSubstr("zzz"));
  held->reply({.content_type = "text/plain", .body = "done"});
  EXPECT_THAT(first.read_all(), HasSubstr("done"));
  held.reset();
  server_->stop(milliseconds(1000));
  EXPECT_EQ(memory.used(), 0U);
}

// Whoever only asks is answered, however many send what they never end.
TEST_F(HttpServer, BodiesLeaveRoomForReplies) {
  MemoryBudget memory("HTTP", 4000);
  start({.body_timeout = std::chrono::seconds(20), .memory = &memory});
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3999\r\n\r\n";
  Client half(server_->port());
  half.send(head + std::string(3000, 'a'));
  Client more(server_->port());
  more.send(head + std::string(990, 'b'));
  EXPECT_THAT(more.read_all(), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(get("/hello/a"), StartsWith("HTTP/1.1 200"));
  server_->stop(milliseconds(1000));
}

TEST_F(HttpServer, ClosesSlowClients) {
  start({.header_timeout = milliseconds(50), .body_timeout = milliseconds(50)});
  EXPECT_EQ(exchange("GET /hello/a HTT"), "");
  EXPECT_THAT(exchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"),
              StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServer, LimitsConnections) {
  std::promise<Responder> held;
  router_.add("GET", "/held", [&](Request, Responder responder) { held.set_value(std::move(responder)); });
  start({.max_connections = 1});
  Client first(server_->port());
  first.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Responder responder = held.get_future().get();
  EXPECT_THAT(Client(server_->port()).read_all(), StartsWith("HTTP/1.1 503"));
  responder.reply({.body = "late"});
  first.read_until("late");
}

// Whoever says nothing more keeps nobody out.
TEST_F(HttpServer, AnUnfinishedRequestMakesRoom) {
  start({.max_connections = 1});
  Client head(server_->port());
  head.send("GET /hello/a HTTP/1.1\r\nHost: local");
  Client body(server_->port());
  body.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_THAT(get("/hello/a"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(head.read_all(), "");
  EXPECT_EQ(body.read_all(), "");
}

// A client between two requests stays while others have not even sent their first.
TEST_F(HttpServer, AProvenClientStaysLonger) {
  start({.max_connections = 2});
  Client proven(server_->port());
  proven.send("GET /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  proven.read_until("hello a");
  Client silent(server_->port());
  silent.send("GET");
  for (int i = 0; i < 4; ++i) EXPECT_THAT(get("/hello/a"), StartsWith("HTTP/1.1 200"));
  proven.send("GET /hello/b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  proven.read_until("hello b");
}

TEST_F(HttpServer, RefusesForeignHostsAndOrigins) {
  start();
  EXPECT_THAT(exchange("GET /hello/a HTTP/1.1\r\nHost: evil.example\r\n\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(get("/hello/a", "Origin: http://evil.example\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/hello/a", "Origin: null\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/hello/a", "Origin: http://localhost\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/hello/a", "Sec-Fetch-Site: cross-site\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/hello/a", "Sec-Fetch-Site: cross-site\r\nAccept: text/html\r\n"),
              StartsWith("HTTP/1.1 403"));
}

TEST_F(HttpServer, HeaderValuesFromRequestsCannotSplitTheResponse) {
  router_.add("GET", "/reflect", [](Request, Responder responder) {
    responder.reply({.headers = {{"X-Bad", "a\r\nX-Injected: yes"}, {"X-Good", "b"}}});
  });
  start();
  std::string answer = get("/reflect");
  EXPECT_THAT(answer, testing::Not(HasSubstr("X-Injected")));
  EXPECT_THAT(answer, HasSubstr("X-Good: b"));
}

TEST_F(HttpServer, AStreamSendsWhatItsSourceGivesAndEnds) {
  start();
  Client client(server_->port());
  client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  push("id: 1\ndata: a\n\n");
  client.read_until("data: a");
  push("id: 2\ndata: b\n\n");
  client.read_until("data: b");
  {
    std::lock_guard lock(mutex_);
    done_ = true;
    stream_->wake();
  }
  std::string all = client.read_all();
  EXPECT_THAT(all, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_TRUE(all.ends_with("0\r\n\r\n"));
}

TEST_F(HttpServer, ASilentStreamHasHeartbeats) {
  start({.heartbeat = milliseconds(20)});
  Client client(server_->port());
  client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_until(": heartbeat\n\n"), HasSubstr(": heartbeat"));
}

// A document that takes its time has blanks before it, and nothing of the server's in it.
TEST_F(HttpServer, ADocumentHasNoHeartbeatsInIt) {
  start({.heartbeat = milliseconds(5)});
  Client client(server_->port());
  client.send("GET /stream?type=application/json HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_until("1\r\n\n\r\n");
  {
    std::unique_lock lock(mutex_);
    frames_ = {"{\"a\":", "1}"};
    done_ = true;
    stream_->wake();
  }
  const std::string rest = client.read_all();
  EXPECT_TRUE(rest.ends_with("5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n")) << rest;
}

TEST_F(HttpServer, AReaderThatStopsReadingIsClosedAndCostsOneBatch) {
  start({.write_timeout = milliseconds(100)});
  Client client(server_->port());
  client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string frame(1 << 20, 'x');
  for (int i = 0; i < 64; ++i) push(frame);
  // Nobody reads: the socket's buffers fill up, and the batches behind them stay where they are.
  std::weak_ptr<Stream> stream;
  {
    std::lock_guard lock(mutex_);
    stream = stream_;
    stream_.reset();
  }
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!stream.expired() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(stream.expired());
  std::lock_guard lock(mutex_);
  EXPECT_GT(frames_.size(), 32u);
}

// However many streams wait for their turn: what nobody is there for is not made.
TEST_F(HttpServer, PagesOfStreamsThatEndedAreNotMade) {
  start();
  std::promise<void> release;
  executor_.post([&] { release.get_future().wait(); });
  {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(std::make_unique<Client>(server_->port()));
      clients.back()->send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
      push("");
      clients.back()->read_until("\r\n\r\n");
      std::lock_guard lock(mutex_);
      stream_.reset();
    }
  }
  server_->stop(milliseconds(0));
  release.set_value();
  std::promise<void> through;
  executor_.post([&] { through.set_value(); });
  through.get_future().wait();
  std::lock_guard lock(mutex_);
  EXPECT_EQ(pulls_, 0);
}

// Whoever makes a long answer can ask whether there is still somebody to read it.
TEST_F(HttpServer, AClientThatHasGoneIsToldToWhoeverWorksForIt) {
  std::mutex mutex;
  std::condition_variable came;
  std::optional<Responder> held;
  router_.add("GET", "/long", [&](Request, Responder responder) {
    const std::lock_guard lock(mutex);
    held.emplace(std::move(responder));
    came.notify_all();
  });
  start();
  auto client = std::make_unique<Client>(server_->port());
  client->send("GET /hello/you HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client->read_until("hello you");
  client->send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  {
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return held.has_value(); });
  }
  EXPECT_FALSE(held->gone());
  client.reset();
  while (!held->gone()) std::this_thread::yield();
  held->drop();
}

// The next request is no sign of leaving, and one direction alone may be shut down.
TEST_F(HttpServer, WhoHasSaidAllItHasToSayIsAnsweredNevertheless) {
  std::promise<Responder> promised;
  router_.add("GET", "/long",
              [&](Request, Responder responder) { promised.set_value(std::move(responder)); });
  start();
  Client client(server_->port());
  client.send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Responder held = promised.get_future().get();
  client.send("GET /hello/you HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  client.finish();
  std::this_thread::yield();
  EXPECT_FALSE(held.gone());
  held.reply({.content_type = "text/plain", .body = "long"});
  const std::string all = client.read_all();
  EXPECT_THAT(all, HasSubstr("long"));
  EXPECT_THAT(all, HasSubstr("hello you"));
}

TEST_F(HttpServer, StopEndsStreamsAndFinishesRequests) {
  std::atomic<bool> entered = false;
  std::optional<Responder> held;
  router_.add("GET", "/slow", [&](Request, Responder responder) {
    held.emplace(std::move(responder));
    entered = true;
  });
  start();
  Client slow(server_->port());
  slow.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Client reader(server_->port());
  reader.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  push("data: a\n\n");
  reader.read_until("data: a");
  while (!entered) std::this_thread::yield();
  std::thread stopper([this] { server_->stop(std::chrono::seconds(10)); });
  EXPECT_TRUE(reader.read_all().ends_with("0\r\n\r\n"));
  held->reply({.content_type = "text/plain", .body = "late but there"});
  EXPECT_THAT(slow.read_all(), HasSubstr("late but there"));
  stopper.join();
  EXPECT_FALSE(Client(server_->port()).connected());
}

TEST(LoopbackAddress, OnlyThisMachine) {
  EXPECT_EQ(parse_loopback("localhost:80")->host, "127.0.0.1");
  EXPECT_EQ(parse_loopback("[::1]:80")->port, 80);
  EXPECT_EQ(parse_loopback("0.0.0.0:80").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(parse_loopback("192.168.1.1:80").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(parse_loopback("example.org:80").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(parse_loopback("127.0.0.1").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(parse_loopback("127.0.0.1:99999").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(parse_loopback(":80").error().code(), Code::kInvalidArgument);
}

TEST(PortInUse, IsUnavailable) {
  auto first = Server::start({.address = "127.0.0.1:0"}, [](Request, Responder) {});
  ASSERT_TRUE(first);
  auto second = Server::start({.address = (*first)->address()}, [](Request, Responder) {});
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr("in use"));
}

}  // namespace
}  // namespace holdfast::net
