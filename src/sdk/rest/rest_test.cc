// The client of the HTTP API over real sockets: what a caller gets for each kind of answer, and that a reader
// of a stream sees every event once, in order, over broken connections and over one that it reads too slowly.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "fixture/manual_clock.h"
#include "net/problem.h"
#include "net/router.h"
#include "net/server.h"
#include "os/thread_executor.h"
#include "rest/event_stream.h"

namespace holdfast::rest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class Rest : public testing::Test {
 protected:
  void SetUp() override {
    router_.add("GET", "/run", [](net::Request, net::Responder responder) {
      responder.reply({.content_type = "application/json", .body = R"({"b": 1, "a": 18446744073709551615})"});
    });
    router_.add("GET", "/page", [](net::Request, net::Responder responder) {
      responder.reply({.content_type = "text/html", .body = "<p>hello"});
    });
    router_.add("GET", "/gone", [](net::Request, net::Responder responder) {
      responder.reply(
          std::move(net::Problem(404, "run_not_found", "there is no run x").hint("look again")).response());
    });
    router_.add("GET", "/odd", [](net::Request, net::Responder responder) {
      responder.reply({.status = 500, .content_type = "application/json", .body = R"({"title": 7})"});
    });
    router_.add("POST", "/echo", [](net::Request request, net::Responder responder) {
      Json seen = {{"body", request.body},
                   {"type", request.header("content-type")},
                   {"key", request.header("idempotency-key")}};
      responder.reply({.content_type = "application/json", .body = seen.dump()});
    });
    // Sends the events behind the cursor, `per_connection_` of them, and ends.
    router_.add("GET", "/events", [this](net::Request request, net::Responder responder) {
      std::lock_guard lock(mutex_);
      const std::string cursor(request.header("last-event-id"));
      cursors_.push_back(cursor);
      responder.stream({.content_type = "text/event-stream"}, executor_,
                       [this, at = cursor.empty() ? 0 : std::stoi(cursor),
                        sent = 0]() mutable -> std::optional<std::string> {
                         std::lock_guard lock(mutex_);
                         if (at == last_event_ || sent == per_connection_) return std::nullopt;
                         ++sent;
                         ++at;
                         return ": a comment\nid: " + std::to_string(at) +
                                "\nevent: step\ndata: {\"n\": " + std::to_string(at) + "," + padding_ +
                                "\ndata: \"x\": 1}\n\n";
                       });
    });
    auto server = net::Server::start({.address = "127.0.0.1:0"},
                                     [this](net::Request request, net::Responder responder) {
                                       router_.handle(std::move(request), std::move(responder));
                                     });
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
    api_.set_address("127.0.0.1:" + std::to_string(server_->port()));
  }

  os::ThreadExecutor executor_{"api"};
  net::Router router_;
  std::mutex mutex_;
  int last_event_ = 0;
  int per_connection_ = 1'000'000;
  std::string padding_;
  std::vector<std::string> cursors_;
  std::unique_ptr<net::Server> server_;
  fixture::ManualClock clock_;
  os::ThreadExecutor loop_{"client"};
  std::unique_ptr<net::HttpClient> http_ = net::curl_http_client(loop_, net::Egress::kAnywhere);
  ApiClient api_{*http_, ""};
};

TEST_F(Rest, AnAddressIsAHostOrAUrl) {
  const auto base = [&](std::string_view address) { return ApiClient(*http_, address).base_url(); };
  EXPECT_EQ(base("localhost:1"), "http://localhost:1");
  EXPECT_EQ(base("https://example.com/"), "https://example.com");
}

TEST_F(Rest, AReplyKeepsOrderAndNumbers) {
  auto run = api_.get("/run");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->dump(), R"({"b":1,"a":18446744073709551615})");
}

TEST_F(Rest, BodyTypeAndKeyAreSent) {
  auto json = api_.post("/echo", {{"agent", "x"}}, "key-1");
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(*json, (Json{{"body", R"({"agent":"x"})"}, {"type", "application/json"}, {"key", "key-1"}}));
  auto text = api_.post_text("/echo", "application/yaml", "a: 1\n");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, (Json{{"body", "a: 1\n"}, {"type", "application/yaml"}, {"key", ""}}));
}

TEST_F(Rest, WhatIsNoSuccessIsAnError) {
  auto gone = api_.get("/gone");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().status, 404);
  EXPECT_EQ(gone.error().problem["hint"], "look again");
  EXPECT_THAT(gone.error().message, HasSubstr("answered 404: Not Found there is no run x"));
  auto odd = api_.get("/odd");
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().status, 500);
  // A 200 whose body is no JSON comes from something else than Holdfast.
  auto page = api_.get("/page");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().status, 200);
  EXPECT_TRUE(page.error().problem.is_discarded());
  server_->stop(milliseconds(0));
  auto nobody = api_.get("/run");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().status, 0);
}

TEST_F(Rest, AStreamGoesOnBehindTheLastEventThatWasTaken) {
  last_event_ = 7;
  per_connection_ = 3;
  EventStream stream(api_, clock_, "/events");
  EXPECT_FALSE(stream.connected());
  std::vector<int> seen;
  while (seen.size() < 7) {
    stream.connect();
    while (auto event = stream.next(seconds(10))) {
      EXPECT_EQ(event->type, "step");
      EXPECT_EQ(event->id, std::to_string(event->data["n"].get<int>()));
      seen.push_back(event->data["n"]);
      if (seen.size() == 2) break;  // what has arrived and was not taken comes again
    }
  }
  EXPECT_THAT(seen, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(stream.cursor(), "7");
  EXPECT_THAT(cursors_, testing::ElementsAre("", "2", "5"));
}

TEST_F(Rest, ASlowReaderHoldsABoundedPartOfAStream) {
  padding_ = std::string(4 << 20, ' ');
  last_event_ = 40;
  EventStream stream(api_, clock_, "/events");
  stream.connect();
  while (!stream.error()) std::this_thread::yield();  // nothing is taken, so the connection is given up
  int taken = 0;
  while (taken < 40) {
    while (auto event = stream.next(seconds(10))) {
      ASSERT_EQ(event->id, std::to_string(++taken));
    }
    stream.connect();
  }
  EXPECT_EQ(stream.cursor(), "40");
}

TEST_F(Rest, ARefusedStreamSaysWhy) {
  EventStream stream(api_, clock_, "/gone");
  stream.connect();
  EXPECT_FALSE(stream.next(seconds(10)));
  EXPECT_FALSE(stream.connected());
  EXPECT_EQ(stream.status(), 404);
  ASSERT_TRUE(stream.error());
  EXPECT_EQ(stream.error()->problem["code"], "run_not_found");
}

TEST_F(Rest, AnEventTooLargeBreaksTheConnection) {
  padding_ = std::string(EventStream::kMaxEventBytes, ' ');
  last_event_ = 1;
  EventStream stream(api_, clock_, "/events");
  stream.connect();
  EXPECT_FALSE(stream.next(seconds(30)));
  ASSERT_TRUE(stream.error());
  EXPECT_THAT(stream.error()->message, HasSubstr("larger than"));
}

}  // namespace
}  // namespace holdfast::rest
