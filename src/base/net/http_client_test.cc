// The HTTP client against a server of ours, over real sockets: its bounds hold, and what cannot be sent is
// said.

#include "net/http_client.h"

#include <gmock/gmock.h>

#include <future>
#include <optional>

#include "net/fetch.h"
#include "net/server.h"
#include "os/thread_executor.h"

namespace holdfast::net {
namespace {

using ::testing::HasSubstr;

class HttpClientTest : public ::testing::Test {
 protected:
  void serve(Handler handler) {
    auto server = Server::start({.address = "127.0.0.1:0"}, std::move(handler));
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
    request_.url = "http://" + server_->address() + "/models?of=a";
  }

  os::ThreadExecutor loop_{"http"};
  std::unique_ptr<HttpClient> client_ = curl_http_client(loop_, Egress::kAnywhere);
  std::unique_ptr<Server> server_;
  HttpRequest request_;
};

TEST_F(HttpClientTest, HeadersAndBodiesGoBothWays) {
  serve([](Request request, Responder responder) {
    responder.reply({.status = 201,
                     .content_type = "text/plain",
                     .body = request.method + " " + request.path + " " + std::string(request.header("x-a")) +
                             " " + request.body,
                     .headers = {{"X-B", "c"}}});
  });
  request_.method = "POST";
  request_.headers = {{"X-A", "b"}};
  request_.body = "the body";
  const auto response = fetch(*client_, request_);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->head.status, 201);
  EXPECT_EQ(response->head.header("content-type"), "text/plain");
  EXPECT_EQ(response->head.header("x-b"), "c");
  EXPECT_EQ(response->body, "POST /models b the body");
}

TEST_F(HttpClientTest, AnAnswerThatGrowsLargeIsReadOnWhenItIsItsTurn) {
  const std::string large(3 * kLargeExchange, 'x');
  serve([&large](Request request, Responder responder) {
    responder.reply({.body = request.path == "/large" ? large : "small"});
  });
  const LargeTurns turns(1);
  auto other = turns.join();
  ASSERT_TRUE(other->take());
  request_.turn = turns.join();
  EXPECT_EQ(fetch(*client_, request_)->body, "small");

  request_.url = "http://" + server_->address() + "/large";
  std::promise<void> nearly;
  std::promise<std::size_t> all;
  HttpHandler handler;
  handler.body = [&, received = std::size_t{0}](std::string_view bytes) mutable {
    const std::size_t before = std::exchange(received, received + bytes.size());
    if (before < kLargeExchange / 2 && received >= kLargeExchange / 2) nearly.set_value();
  };
  handler.done = [&](std::expected<void, HttpError> ended) { all.set_value(ended.has_value() ? 1 : 0); };
  client_->start(request_, std::move(handler));
  nearly.get_future().wait();
  auto ended = all.get_future();
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  other.reset();
  EXPECT_EQ(ended.get(), 1u);
}

TEST_F(HttpClientTest, WhatIsTooLargeIsCutAndItsHeadIsNotLost) {
  serve([](Request, Responder responder) { responder.reply({.body = std::string(5000, 'x')}); });
  request_.max_response_bytes = 10;
  const auto response = fetch(*client_, request_);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().failure, HttpFailure::kTooLarge);
  EXPECT_EQ(response.error().received.head.status, 200);
  EXPECT_LE(response.error().received.body.size(), 10u);
  EXPECT_THAT(response.error().message, HasSubstr("more than 10 bytes"));
}

TEST_F(HttpClientTest, RedirectsAreFollowedOnlyWhenAskedFor) {
  serve([](Request request, Responder responder) {
    if (request.path == "/there") return responder.reply({.body = "there"});
    responder.reply({.status = 302, .headers = {{"Location", "/there"}}});
  });
  EXPECT_EQ(fetch(*client_, request_)->head.status, 302);
  request_.follow_redirects = true;
  EXPECT_EQ(fetch(*client_, request_)->body, "there");
}

TEST_F(HttpClientTest, WhatCannotBeSentIsRefused) {
  serve([](Request, Responder responder) { responder.reply({}); });
  request_.headers = {{"x-a", "b\r\nx-injected: c"}};
  EXPECT_EQ(fetch(*client_, request_).error().failure, HttpFailure::kBadRequest);
  request_.headers = {};
  request_.url = "not a url";
  EXPECT_EQ(fetch(*client_, request_).error().failure, HttpFailure::kBadRequest);
  request_.url = "file:///etc/passwd";
  EXPECT_FALSE(fetch(*client_, request_));
}

TEST_F(HttpClientTest, ADeadlineAndAStopEndTheWait) {
  std::vector<Responder> held;
  serve([&](Request, Responder responder) { held.push_back(std::move(responder)); });
  request_.total_timeout = std::chrono::milliseconds(50);
  const auto late = fetch(*client_, request_);
  EXPECT_EQ(late.error().failure, HttpFailure::kTotalTimeout);
  EXPECT_THAT(late.error().message, HasSubstr("50 ms"));
  request_.total_timeout = {};
  std::stop_source stop;
  const Heartbeat heartbeat(std::chrono::milliseconds(1), [&] { stop.request_stop(); });
  EXPECT_EQ(fetch(*client_, request_, stop.get_token(), heartbeat).error().failure, HttpFailure::kCancelled);
  server_.reset();  // before what its handler holds on to
}

TEST_F(HttpClientTest, DestroyingItEndsWhatIsUnderWay) {
  std::vector<Responder> held;
  std::promise<void> arrived;
  serve([&](Request, Responder responder) {
    held.push_back(std::move(responder));
    arrived.set_value();
  });
  std::promise<HttpFailure> ended;
  HttpHandler handler;
  handler.done = [&](std::expected<void, HttpError> outcome) { ended.set_value(outcome.error().failure); };
  client_->start(request_, std::move(handler));
  arrived.get_future().wait();
  client_.reset();
  EXPECT_EQ(ended.get_future().get(), HttpFailure::kCancelled);
  server_.reset();
}

}  // namespace
}  // namespace holdfast::net
