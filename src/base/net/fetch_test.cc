// fetch() through a client that plays its part step by step: what arrived is there even if it broke off, and
// the caller gives signs of life while it waits.

#include "net/fetch.h"

#include <gmock/gmock.h>

namespace holdfast::net {
namespace {

// Keeps the handler for the test to call.
class PlayedClient : public HttpClient {
 public:
  void start(HttpRequest request, HttpHandler handler_in, std::stop_token stop) override {
    url = std::move(request.url);
    handler = std::move(handler_in);
    if (stop.stop_requested()) return end(HttpFailure::kCancelled);
    if (at_once) at_once();
  }
  void begin(int status) {
    HttpHead head;
    head.status = status;
    handler.head(head);
  }
  void end(HttpFailure failure) {
    HttpError error;
    error.failure = failure;
    error.message = "it broke";
    handler.done(std::unexpected(std::move(error)));
  }

  std::string url;
  HttpHandler handler;
  std::function<void()> at_once;
};

HttpRequest request() {
  HttpRequest out;
  out.url = "http://shop.example/";
  return out;
}

TEST(Fetch, AnyStatusIsAResponse) {
  for (const int status : {200, 404, 500}) {
    PlayedClient client;
    client.at_once = [&] {
      client.begin(status);
      client.handler.body("the ");
      client.handler.body("body");
      client.handler.done({});
    };
    const auto response = fetch(client, request());
    ASSERT_TRUE(response);
    EXPECT_EQ(response->head.status, status);
    EXPECT_EQ(response->body, "the body");
    EXPECT_EQ(client.url, "http://shop.example/");
  }
}

TEST(Fetch, WhatArrivedComesWithTheError) {
  PlayedClient client;
  client.at_once = [&] {
    client.begin(403);
    client.handler.body("no, beca");
    client.end(HttpFailure::kTooLarge);
  };
  const auto response = fetch(client, request());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().failure, HttpFailure::kTooLarge);
  EXPECT_EQ(response.error().message, "it broke");
  EXPECT_EQ(response.error().received.head.status, 403);
  EXPECT_EQ(response.error().received.body, "no, beca");
  client.at_once = [&] { client.end(HttpFailure::kConnection); };
  EXPECT_EQ(fetch(client, request()).error().received.head.status, 0);
}

TEST(Fetch, AStopIsPassedOn) {
  PlayedClient client;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(fetch(client, request(), stop.get_token()).error().failure, HttpFailure::kCancelled);
}

TEST(Fetch, BeatsUntilTheResponseIsThere) {
  PlayedClient client;
  int beats = 0;
  const Heartbeat heartbeat(std::chrono::milliseconds(1), [&] {
    if (++beats < 3) return;
    client.begin(204);
    client.handler.done({});
  });
  const auto response = fetch(client, request(), {}, heartbeat);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->head.status, 204);
  EXPECT_EQ(beats, 3);
}

TEST(Fetch, AHeartbeatThatThrowsLeavesTheTransferToTheClient) {
  PlayedClient client;
  const Heartbeat heartbeat(std::chrono::milliseconds(1), [] { throw std::runtime_error("gone"); });
  EXPECT_THROW((void)fetch(client, request(), {}, heartbeat), std::runtime_error);
  client.begin(200);
  client.handler.done({});
}

}  // namespace
}  // namespace holdfast::net
