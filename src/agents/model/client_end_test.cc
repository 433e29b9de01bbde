// Goal: a call is over with the last event of its stream, whatever the connection does then. Method: an HTTP
// client that hands out what the test says, when it says so.

#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "model/client.h"
#include "os/clock.h"

namespace holdfast::model {
namespace {

class HeldClient : public net::HttpClient {
 public:
  void start(net::HttpRequest, net::HttpHandler handler, std::stop_token stop) override {
    handler_ = std::move(handler);
    stop_ = std::move(stop);
    net::HttpHead head;
    head.status = 200;
    head.headers.emplace_back("content-type", content_type);
    handler_.head(head);
  }
  void body(std::string_view bytes) { handler_.body(bytes); }
  void end(std::expected<void, net::HttpError> ended = {}) { handler_.done(std::move(ended)); }
  bool stopped() const { return stop_.stop_requested(); }

  std::string content_type = "text/event-stream";

 private:
  net::HttpHandler handler_;
  std::stop_token stop_;
};

constexpr std::string_view kChunk =
    R"(data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]})"
    "\n\n";
constexpr std::string_view kCounts =
    R"(data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}})"
    "\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";
constexpr std::string_view kMessage =
    R"(data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":7,"output_tokens":1}}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"hi"}}

data: {"type":"content_block_stop","index":0}

data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}

)";
constexpr std::string_view kMessageStop = "data: {\"type\":\"message_stop\"}\n\n";

class ClientEndTest : public ::testing::Test {
 protected:
  void ask(std::string_view provider) {
    Endpoint endpoint;
    endpoint.provider = *find_provider(provider);
    client_ = make_client(endpoint, http_, clock_, {});
    Request request;
    request.model = "m";
    request.messages = {Message::user("hello")};
    client_->start(
        request, [](const Delta&) {},
        [this](Outcome outcome) {
          ++calls_;
          outcome_ = std::move(outcome);
        });
  }

  os::SystemClock clock_;
  HeldClient http_;
  std::unique_ptr<Client> client_;
  std::optional<Outcome> outcome_;
  int calls_ = 0;
};

TEST_F(ClientEndTest, TheLastEventEndsTheCall) {
  ask("openai");
  http_.body(kChunk);
  EXPECT_EQ(calls_, 0) << "counts follow the reason to stop";
  http_.body(std::string(kCounts) + std::string(kDone));
  ASSERT_EQ(calls_, 1);
  ASSERT_TRUE(*outcome_) << outcome_->error().message;
  EXPECT_EQ((*outcome_)->message.text(), "hi");
  EXPECT_EQ((*outcome_)->usage.input_tokens, 7);
  EXPECT_FALSE(http_.stopped()) << "the connection is of use to the next call";
  http_.end();
  EXPECT_EQ(calls_, 1);

  ask("anthropic");
  http_.body(kMessage);
  EXPECT_EQ(calls_, 1);
  http_.body(kMessageStop);
  ASSERT_EQ(calls_, 2);
  EXPECT_EQ((*outcome_)->usage.output_tokens, 2);
}

TEST_F(ClientEndTest, AStreamThatDoesNotEndIsCut) {
  ask("openai");
  http_.body(std::string(kChunk) + std::string(kDone));
  ASSERT_EQ(calls_, 1);
  for (int i = 0; i < 100 && !http_.stopped(); ++i) http_.body(": still here\n\n");
  EXPECT_TRUE(http_.stopped());
  net::HttpError cut;
  cut.failure = net::HttpFailure::kCancelled;
  http_.end(std::unexpected(std::move(cut)));
  EXPECT_EQ(calls_, 1);
  EXPECT_TRUE(*outcome_);
}

TEST_F(ClientEndTest, WithoutALastEventTheEndOfTheStreamIsWaitedFor) {
  ask("gemini");
  http_.body(
      R"(data: {"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}]})"
      "\n\n");
  EXPECT_EQ(calls_, 0);
  http_.end();
  ASSERT_EQ(calls_, 1);
  EXPECT_TRUE(*outcome_);
}

TEST_F(ClientEndTest, AServerThatSaysNothingIsAskedAgainAndAPageIsNot) {
  const auto outcome = [&](const char* type, std::string_view body) {
    http_.content_type = type;
    ask("openai");
    if (!body.empty()) http_.body(body);
    http_.end();
    return outcome_->error().kind;
  };
  const std::string_view cut = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
  EXPECT_EQ(outcome("text/event-stream", ""), ErrorKind::kStreamCut);
  EXPECT_EQ(outcome("application/json", ""), ErrorKind::kStreamCut);
  EXPECT_EQ(outcome("text/event-stream", cut), ErrorKind::kStreamCut);
  EXPECT_EQ(outcome("application/octet-stream", cut), ErrorKind::kStreamCut);
  EXPECT_EQ(outcome("text/html", "<html>log in</html>"), ErrorKind::kBadRequest);
}

}  // namespace
}  // namespace holdfast::model
