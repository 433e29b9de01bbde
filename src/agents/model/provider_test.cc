// A provider is its constant: a third one, which only this test knows, is found by its name and called
// through the product's client, and a name that nobody has is an error that says which there are.

#include "model/provider.h"

#include <gmock/gmock.h>

#include <set>

#include "model/client.h"
#include "net/server.h"
#include "net/sse_writer.h"
#include "os/clock.h"
#include "os/thread_executor.h"

namespace holdfast::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Says what it is told, word by word, and ends with an event `over`.
class EchoDecoder : public Decoder {
 public:
  void event(const net::SseEvent& event, OnDelta& on_delta) override {
    if (event.event == "word") add_text(event.data, on_delta);
    if (event.event == "over") stop(StopReason::kEnd);
  }
  bool complete() const override { return stopped(); }
};

net::Headers echo_headers(const std::string& api_key, const Dialect&) {
  return {{"x-echo-key", api_key}};
}
Result<std::string> echo_encode(const Request& request, const Dialect&) {
  return request.messages.back().text();
}
std::unique_ptr<Decoder> echo_decoder() {
  return std::make_unique<EchoDecoder>();
}
Error echo_error(const net::HttpHead&, std::string_view body, WallTime) {
  return {ErrorKind::kOverloaded, "echo: " + std::string(body)};
}

constexpr Provider kEcho = whole({.name = "echo",
                                  .default_url = "http://echo.example",
                                  .path = "/say",
                                  .headers = echo_headers,
                                  .encode = echo_encode,
                                  .decoder = echo_decoder,
                                  .classify_error = echo_error});

const Provider* const kWithEcho[] = {&kOpenAi, &kOpenaiResponses, &kAnthropic, &kGemini, &kEcho};

// A provider's numbers go to a bill that somebody adds up.
TEST(Providers, CountsThatCannotBeAreNotBooked) {
  for (const char* count : {"-5", "9223372036854775807", "18446744073709551615", "1e300", "2.5", "\"7\""}) {
    const std::string number(count);
    const std::pair<const Provider*, std::vector<std::string>> streams[] = {
        {&kOpenAi,
         {R"({"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]})",
          R"({"choices":[],"usage":{"prompt_tokens":)" + number + R"(,"completion_tokens":)" + number +
              R"(,"prompt_tokens_details":{"cached_tokens":)" + number + "}}}",
          "[DONE]"}},
        {&kOpenaiResponses,
         {R"({"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":)" +
          number + R"(,"output_tokens":)" + number + R"(,"input_tokens_details":{"cached_tokens":)" + number +
          R"(,"cache_write_tokens":)" + number + R"(},"output_tokens_details":{"reasoning_tokens":)" +
          number + "}}}}"}},
        {&kGemini,
         {R"({"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":)" +
          number + R"(,"candidatesTokenCount":)" + number + R"(,"cachedContentTokenCount":)" + number +
          R"(,"thoughtsTokenCount":)" + number + R"(,"toolUsePromptTokenCount":)" + number + "}}"}},
        {&kAnthropic,
         {R"({"type":"message_start","message":{"model":"m","usage":{}}})",
          R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"x"}})",
          R"({"type":"content_block_stop","index":0})",
          R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":)" + number +
              R"(,"output_tokens":)" + number + R"(,"cache_read_input_tokens":)" + number +
              R"(,"cache_creation_input_tokens":)" + number + "}}",
          R"({"type":"message_stop"})"}}};
    for (const auto& [provider, data] : streams) {
      const auto decoder = provider->decoder();
      Decoder::OnDelta on_delta;
      for (const std::string& each : data) {
        net::SseEvent event;
        event.data = each;
        decoder->event(event, on_delta);
      }
      const auto completion = decoder->take();
      ASSERT_TRUE(completion) << provider->name << ' ' << completion.error().message;
      EXPECT_EQ(completion->usage.input_tokens, 0) << provider->name << ' ' << count;
      EXPECT_EQ(completion->usage.output_tokens, 0) << provider->name << ' ' << count;
      EXPECT_EQ(completion->usage.cached_input_tokens, 0) << provider->name << ' ' << count;
      EXPECT_EQ(completion->usage.cache_write_tokens, 0) << provider->name << ' ' << count;
      EXPECT_EQ(completion->usage.reasoning_tokens, 0) << provider->name << ' ' << count;
    }
  }
}

TEST(Providers, EachIsFoundByItsName) {
  std::set<std::string_view> names;
  for (const Provider* provider : providers()) {
    EXPECT_TRUE(names.insert(provider->name).second) << provider->name << " is there twice";
    EXPECT_EQ(*find_provider(provider->name), provider);
  }
  EXPECT_THAT(names, ElementsAre("anthropic", "gemini", "openai", "openai_responses"));
  EXPECT_EQ(*find_provider("echo", kWithEcho), &kEcho);
}

TEST(Providers, AnUnknownOneIsAnErrorThatNamesThoseThereAre) {
  for (const char* name : {"echo", "", "OpenAI"}) {
    const auto found = find_provider(name);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Code::kNotFound);
    EXPECT_THAT(found.error().message(),
                HasSubstr("the providers are: openai, openai_responses, anthropic, gemini"));
  }
  EXPECT_THAT(
      find_provider("ecko", kWithEcho).error().message(),
      HasSubstr(
          "no model provider `ecko`; the providers are: openai, openai_responses, anthropic, gemini, echo"));
}

TEST(Providers, AThirdOneIsCalledLikeTheOthers) {
  auto server =
      net::Server::start({.address = "127.0.0.1:0"}, [](net::Request request, net::Responder responder) {
        if (request.path != "/v9/say" || request.header("x-echo-key") != "secret")
          return responder.reply({.status = 400, .content_type = "text/plain", .body = "not for me"});
        responder.reply({.content_type = "text/event-stream",
                         .body = net::sse_event("word", request.body) + net::sse_event("over", "")});
      });
  ASSERT_TRUE(server) << server.error().to_string();
  os::ThreadExecutor loop("http");
  const auto http = net::curl_http_client(loop, net::Egress::kAnywhere);
  const os::SystemClock clock;
  Endpoint endpoint;
  endpoint.provider = *find_provider("echo", kWithEcho);
  endpoint.base_url = "http://" + (*server)->address() + "/v9/";
  endpoint.api_key = "KEY";
  const Secrets secrets = [](const std::string&) { return "secret"; };
  Request request;
  request.messages = {Message::user("hello")};
  const Outcome outcome = call(*make_client(endpoint, *http, clock, secrets), request);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->message.text(), "hello");
  endpoint.base_url += "elsewhere";
  const Outcome refused = call(*make_client(endpoint, *http, clock, secrets), request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kOverloaded);
  EXPECT_EQ(refused.error().message, "echo: not for me");
  EXPECT_EQ(refused.error().http_status, 400);
}

}  // namespace
}  // namespace holdfast::model
