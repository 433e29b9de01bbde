// Both clients against the scripted server, over real sockets: what a script says arrives, in pieces of any
// size, and every way in which a provider fails becomes the error that tells the activity what to do.

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/client.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "scripted/server.h"

namespace holdfast::model {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ClientTest : public ::testing::TestWithParam<const Provider*> {
 protected:
  void serve(const std::string& script) {
    ScriptedOptions options;
    options.script = script;
    Result<std::unique_ptr<ScriptedServer>> server = start_scripted_server(options);
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
    endpoint_.provider = GetParam();
    endpoint_.base_url = server_->base_url();
  }

  Outcome ask(const Request& request, std::stop_token stop = {}) {
    std::unique_ptr<Client> client =
        make_client(endpoint_, *http_, clock_, [this](const std::string& name) { return secret(name); });
    text_.clear();
    pieces_ = 0;
    return call(
        *client, request,
        [this](const Delta& delta) {
          ++pieces_;
          if (delta.kind == Delta::Kind::kText) text_ += delta.text;
        },
        stop);
  }
  Outcome ask(const std::string& text = "hello") { return ask(request(text)); }

  static Request request(const std::string& text) {
    Request out;
    out.model = "demo";
    out.messages = {Message::system("You are a test."), Message::user(text)};
    return out;
  }

  Error error_of(const std::string& script_rest) {
    serve("replies:\n  - text: one two three four five\n" + script_rest);
    Outcome outcome = ask();
    EXPECT_FALSE(outcome);
    return outcome ? Error() : outcome.error();
  }

  Result<std::string> secret(const std::string& name) const {
    if (name == "KEY") return "sk-very-secret";
    if (name == "OTHER_KEY") return fail(Code::kPermissionDenied, "grant key:OTHER_KEY@models.example");
    return fail(Code::kNotFound, "there is none");
  }

  os::SystemClock clock_;
  os::ThreadExecutor http_loop_{"http"};
  std::unique_ptr<net::HttpClient> http_ = net::curl_http_client(http_loop_, net::Egress::kAnywhere);
  std::unique_ptr<ScriptedServer> server_;
  Endpoint endpoint_;
  std::string text_;
  int pieces_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Providers, ClientTest, ::testing::ValuesIn(providers()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(ClientTest, TextArrivesInPiecesWithUsage) {
  serve(R"(
replies:
  - text: "Grüße, 100 € for you \U0001F642"
    usage: {input: 20, output: 7, cached: 5}
)");
  Outcome outcome = ask();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->message.text(), "Grüße, 100 € for you 🙂");
  EXPECT_EQ(text_, outcome->message.text());
  EXPECT_GT(pieces_, 4);
  EXPECT_EQ(outcome->message.role, Role::kAssistant);
  EXPECT_EQ(outcome->stop_reason, StopReason::kEnd);
  EXPECT_EQ(outcome->usage.input_tokens, 20);
  EXPECT_EQ(outcome->usage.output_tokens, 7);
  EXPECT_EQ(outcome->usage.cached_input_tokens, 5);
  EXPECT_EQ(outcome->model, "demo");
  EXPECT_THAT(outcome->request_id, HasSubstr("req_"));
}

TEST_P(ClientTest, OneByteAtATimeIsTheSame) {
  serve(R"(
write_bytes: 1
replies:
  - text: "Grüße 🙂 to all"
    tool_calls:
      - {name: lookup, arguments: {name: "Grün 🙂", n: 3}}
)");
  Outcome outcome = ask();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->message.text(), "Grüße 🙂 to all");
  EXPECT_EQ(nlohmann::json::parse(outcome->message.tool_calls.at(0).arguments)["name"], "Grün 🙂");
}

TEST_P(ClientTest, ToolCallsComeInOrderAndTheirResultsGoBack) {
  serve(R"(
replies:
  - when: {turn: 0, tool: lookup}
    text: Let me look.
    tool_calls:
      - {id: call_a, name: lookup, arguments: {order: 7, tags: [a, "1"]}}
      - {id: call_b, name: list, arguments: {}}
  - when: {turn: 1, last: 'total (\d+)'}
    text: "It was {{last.1}} euros."
)");
  Request asked = request("order 7?");
  asked.tools.resize(2);
  asked.tools[0].name = "lookup";
  asked.tools[0].parameters = R"({"type":"object","properties":{"order":{"type":"integer"}}})";
  asked.tools[1].name = "list";
  Outcome outcome = ask(asked);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->stop_reason, StopReason::kToolCalls);
  ASSERT_EQ(outcome->message.tool_calls.size(), 2u);
  EXPECT_EQ(outcome->message.tool_calls[0].id, "call_a");
  EXPECT_EQ(outcome->message.tool_calls[0].arguments, R"({"order":7,"tags":["a","1"]})");
  EXPECT_EQ(outcome->message.tool_calls[1].name, "list");
  EXPECT_EQ(outcome->message.tool_calls[1].arguments, "{}");

  asked.messages.push_back(outcome->message);
  asked.messages.push_back(Message::tool("call_a", "denied", true));
  asked.messages.push_back(Message::tool("call_b", "total 120"));
  Outcome last = ask(asked);
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->message.text(), "It was 120 euros.");
}

TEST_P(ClientTest, WhatWasThoughtGoesBackToItsMaker) {
  serve(R"(
replies:
  - when: {turn: 0}
    reasoning: I have to look.
    tool_calls: [{id: c1, name: lookup, arguments: {order: 7}}]
    usage: {input: 9, output: 8, reasoning: 6}
  - when: {turn: 1}
    text: done
)");
  const Outcome outcome = ask();
  ASSERT_TRUE(outcome) << outcome.error().message;
  Request next = request("hello");
  next.messages.push_back(outcome->message);
  next.messages.push_back(Message::tool("c1", "120"));
  const Outcome last = ask(next);
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_TRUE(outcome->message.holds_opaque());
  // The server refuses every mark but its own: the conversation goes on without, and only this time.
  if (GetParam() == &kAnthropic) {
    next.messages[2].content[0].json = R"({"type":"thinking","thinking":"x","signature":"forged"})";
    EXPECT_TRUE(ask(next));
  }
  if (GetParam() == &kGemini) {
    EXPECT_EQ(outcome->usage.reasoning_tokens, 6);
    next.messages[2].tool_calls[0].extra = R"({"part":{"thoughtSignature":"forged"}})";
    EXPECT_TRUE(ask(next));
    // A model that demands signatures is told which calls are another's.
    next.model = "gemini-3-demo";
    next.messages[2].origin = "anthropic api.anthropic.com";
    const Outcome moved = ask(next);
    EXPECT_TRUE(moved) << moved.error().message;
  }
  if (GetParam() != &kOpenaiResponses) return;
  EXPECT_EQ(outcome->usage.reasoning_tokens, 6);
  next.messages[2].content[0].json = R"({"type":"reasoning","summary":[],"encrypted_content":"forged"})";
  EXPECT_TRUE(ask(next));
}

TEST_P(ClientTest, ArgumentsThatAreNoJsonAndUnknownToolsArriveAsSent) {
  serve(R"(
replies:
  - when: {turn: 0}
    tool_calls:
      - {id: c1, name: no_such_tool, arguments: '{"order": '}
  - when: {turn: 1}
    text: sorry
)");
  Outcome outcome = ask();
  if (GetParam() == &kGemini) {  // its server says that there was something, and not what
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::kStreamCut);
    return;
  }
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->message.tool_calls.at(0).arguments, R"({"order": )");
  EXPECT_EQ(outcome->message.tool_calls.at(0).name, "no_such_tool");
  // The conversation goes on with it.
  Request next = request("hello");
  next.messages.push_back(outcome->message);
  next.messages.push_back(Message::tool("c1", "that is no JSON", true));
  EXPECT_TRUE(ask(next));
}

TEST_P(ClientTest, AnAnswerCutByItsLimitSaysSo) {
  serve("replies:\n  - text: one two\n    stop: max_tokens\n");
  EXPECT_EQ(ask()->stop_reason, StopReason::kMaxTokens);
}

// llama.cpp's /v1/responses: three tokens were allowed, three were said, "completed".
TEST_P(ClientTest, AnAnswerThatUsedAllItsTokensIsOnlyWholeIfTheFormatWouldSaySo) {
  serve("replies:\n  - text: one two\n    usage: {input: 20, output: 3}\n");
  Request limited = request("hello");
  limited.max_tokens = 3;
  EXPECT_EQ(ask(limited)->stop_reason,
            GetParam() == &kOpenaiResponses ? StopReason::kMaxTokens : StopReason::kEnd);
  limited.max_tokens = 4;
  EXPECT_EQ(ask(limited)->stop_reason, StopReason::kEnd);
}

TEST_P(ClientTest, ACutStreamIsRetryableAndTheRetryIsWhole) {
  serve("replies:\n  - text: one two three four five six seven\n    faults: [{cut_after: 6, first: 1}]\n");
  Outcome outcome = ask();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kStreamCut);
  EXPECT_TRUE(outcome.error().retryable);
  EXPECT_THAT(text_, HasSubstr("one"));
  outcome = ask();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(text_, "one two three four five six seven");
}

TEST_P(ClientTest, ARateLimitSaysHowLongToWait) {
  serve(R"(
replies:
  - text: fine
    faults:
      - {status: 429, first: 1, retry_after: "2.5"}
      - {status: 429, first: 1, retry_after: "9", retry_after_ms: "40"}
      - {status: 429, first: 1, retry_after: "0"}
)");
  Outcome outcome = ask();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kRateLimited);
  EXPECT_EQ(error_type(outcome.error().kind), "RateLimitedError");
  EXPECT_TRUE(outcome.error().retryable);
  EXPECT_EQ(outcome.error().http_status, 429);
  EXPECT_EQ(outcome.error().retry_after, milliseconds(2500));
  EXPECT_EQ(ask().error().retry_after, milliseconds(40));
  EXPECT_EQ(ask().error().retry_after, std::nullopt);
  EXPECT_EQ(ask("another conversation").error().retry_after, milliseconds(2500));
  EXPECT_TRUE(ask());
  EXPECT_EQ(server_->requests(), 5u);  // nobody retried behind our back
}

struct StatusCase {
  const char* fault;
  ErrorKind kind;
  bool retryable;
};

TEST_P(ClientTest, EveryFailureHasItsType) {
  const std::vector<StatusCase> cases = {
      {"{status: 500}", ErrorKind::kOverloaded, true},
      {"{status: 503, code: server_is_overloaded}", ErrorKind::kOverloaded, true},
      {"{status: 529}", ErrorKind::kOverloaded, true},
      {"{status: 504}", GetParam() == &kGemini ? ErrorKind::kTimeout : ErrorKind::kOverloaded, true},
      {"{status: 429, code: insufficient_quota, type: insufficient_quota}", ErrorKind::kQuotaExhausted,
       false},
      {"{status: 429, type: enforced_spend_limit_reached}", ErrorKind::kQuotaExhausted, false},
      {"{status: 400, message: Your credit balance is too low to access the API}", ErrorKind::kQuotaExhausted,
       false},
      {"{status: 402}", ErrorKind::kQuotaExhausted, false},
      {"{status: 400, code: content_filter}", ErrorKind::kContentFilter, false},
      {"{status: 400, code: invalid_prompt}", ErrorKind::kInvalidPrompt, false},
      {"{status: 401}", ErrorKind::kAuth, false},
      {"{status: 403}", ErrorKind::kAuth, false},
      {"{status: 400}", ErrorKind::kBadRequest, false},
      {"{status: 404}", ErrorKind::kBadRequest, false},
      {"{status: 500, should_retry: false}", ErrorKind::kOverloaded, false},
      {"{status: 400, should_retry: true}", ErrorKind::kBadRequest, true},
      {"{status: 400, code: content_filter, should_retry: true}", ErrorKind::kContentFilter, false},
      {"{error_after: 3, type: overloaded_error}", ErrorKind::kOverloaded, true},
      {"{error_after: 3, type: rate_limit_error}", ErrorKind::kRateLimited, true},
      {"{error_after: 3, type: invalid_request_error}", ErrorKind::kBadRequest, false},
      {"{error_after: 3, type: something_new}", ErrorKind::kStreamCut, true},
  };
  for (const StatusCase& one : cases) {
    const Error error = error_of(std::string("    faults: [") + one.fault + "]\n");
    EXPECT_EQ(error_type(error.kind), error_type(one.kind)) << one.fault << ": " << error.message;
    EXPECT_EQ(error.retryable, one.retryable) << one.fault;
  }
}

TEST_P(ClientTest, AnErrorsTextIsUtf8AndCutBetweenCharacters) {
  std::string many;
  for (int i = 0; i < 1500; ++i) many += "é";
  const Error error = error_of("    faults: [{status: 500, message: 'x" + many + "'}]\n");
  EXPECT_TRUE(is_utf8(error.message)) << error.message.substr(error.message.size() - 4);
  net::HttpHead head;
  head.status = 502;
  EXPECT_TRUE(is_utf8(error_of_response(head,
                                        "Zeit\xFC"
                                        "berschreitung",
                                        WallTime())
                          .message));
}

TEST_P(ClientTest, ContentFilterIsFinal) {
  serve("replies:\n  - text: half\n    stop: content_filter\n");
  const Error error = ask().error();
  EXPECT_EQ(error_type(error.kind), "ContentFilterError");
  EXPECT_FALSE(error.retryable);
}

TEST_P(ClientTest, ASilentServerTimesOut) {
  endpoint_.idle_timeout = milliseconds(150);
  for (const char* after : {"0", "3"}) {
    const Error error = error_of(std::string("    faults: [{hang_after: ") + after + "}]\n");
    EXPECT_EQ(error.kind, ErrorKind::kTimeout) << error.message;
    EXPECT_TRUE(error.retryable);
  }
}

TEST_P(ClientTest, ASlowStreamIsNoSilentOneButHasATotalTime) {
  endpoint_.idle_timeout = milliseconds(400);
  serve("delay: 30ms\nreplies:\n  - text: a b c d e f g h i j k l m n o p q r s t\n");
  EXPECT_TRUE(ask());
  endpoint_.total_timeout = milliseconds(200);
  const Error error = ask().error();
  EXPECT_EQ(error.kind, ErrorKind::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("200 ms"));
}

TEST_P(ClientTest, CancellingEndsTheCall) {
  serve("replies:\n  - text: a b c d e f g h\n    faults: [{hang_after: 6}]\n");
  std::stop_source stop;
  std::unique_ptr<Client> client = make_client(endpoint_, *http_, clock_, {});
  const Outcome outcome =
      call(*client, request("x"), [&](const Delta&) { stop.request_stop(); }, stop.get_token());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kCancelled);
  EXPECT_FALSE(outcome.error().retryable);
  EXPECT_EQ(ask(request("x"), stop.get_token()).error().kind, ErrorKind::kCancelled);
}

TEST_P(ClientTest, KeysAreSentAndNeverShown) {
  serve(
      "api_key: sk-very-secret\nreplies:\n  - text: fine\n    faults: [{status: 400, message: wrong key "
      "sk-very-secret}]\n");
  EXPECT_EQ(ask().error().kind, ErrorKind::kAuth);
  endpoint_.api_key = "NOT_SET";
  EXPECT_EQ(ask().error().kind, ErrorKind::kAuth);
  EXPECT_THAT(ask().error().message, HasSubstr("NOT_SET"));
  endpoint_.api_key = "OTHER_KEY";
  EXPECT_EQ(ask().error().kind, ErrorKind::kNotGranted);
  EXPECT_THAT(ask().error().message, HasSubstr("key:OTHER_KEY@models.example"));
  endpoint_.api_key = "KEY";
  const Error error = ask().error();
  EXPECT_EQ(error.kind, ErrorKind::kBadRequest);
  EXPECT_THAT(error.message, Not(HasSubstr("sk-very")));
}

TEST_P(ClientTest, ABrokenRequestIsRefusedByTheServerWithWordsThatHelp) {
  serve("replies:\n  - when: {last: unreachable}\n    text: x\n");
  Error error = ask().error();
  EXPECT_EQ(error.kind, ErrorKind::kBadRequest);
  EXPECT_THAT(error.message, HasSubstr("no reply for model \"demo\", turn 0"));
  Request schema = request("x");
  schema.tools.resize(1);
  schema.tools[0].name = "broken";
  schema.tools[0].parameters = "{";
  EXPECT_THAT(ask(schema).error().message, HasSubstr("tool broken"));
}

TEST_P(ClientTest, WhatIsNotAModelServerIsNamed) {
  serve("replies:\n  - text: x\n");
  endpoint_.base_url = "http://127.0.0.1:1/v1";
  Error error = ask().error();
  EXPECT_EQ(error.kind, ErrorKind::kConnection);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("127.0.0.1:1"));
  endpoint_.base_url = "nonsense://x";
  error = ask().error();
  EXPECT_EQ(error.kind, ErrorKind::kBadRequest) << error.message;
  endpoint_.base_url = server_->base_url() + "/wrong";
  EXPECT_EQ(ask().error().kind, ErrorKind::kBadRequest);
}

TEST_P(ClientTest, AnAnswerBeyondItsLimitIsRefused) {
  serve("replies:\n  - text: one two three four five six seven eight nine ten\n");
  endpoint_.max_response_bytes = 300;
  EXPECT_EQ(ask().error().kind, ErrorKind::kBadRequest);
}

TEST_P(ClientTest, ManyCallsRunAtOnceOnOneThread) {
  serve("delay: 5ms\nreplies:\n  - text: one two three four five\n");
  std::unique_ptr<Client> client = make_client(endpoint_, *http_, clock_, {});
  constexpr int kCalls = 50;
  std::promise<void> all;
  std::atomic<int> left = kCalls;
  std::atomic<int> good = 0;
  for (int i = 0; i < kCalls; ++i) {
    client->start(request(std::to_string(i)), {}, [&](Outcome outcome) {
      if (outcome && outcome->message.text() == "one two three four five") ++good;
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_EQ(good, kCalls);
}

}  // namespace
}  // namespace holdfast::model
