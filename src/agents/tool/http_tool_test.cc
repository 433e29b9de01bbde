// Goal: the ending of an HTTP call says what is known about its effect, and no more. Method: every status and
// every way a response can break off, for every effect, through a client that plays them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/clock.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

// Answers at once: status 0 is no head at all.
class PlayedClient : public net::HttpClient {
 public:
  void start(net::HttpRequest request, net::HttpHandler handler, std::stop_token) override {
    asked = request.url;
    sent = request.body;
    if (status != 0) {
      net::HttpHead head;
      head.status = status;
      head.headers = {{"retry-after", "7"}, {"content-type", type}};
      handler.head(head);
      handler.body(body);
    }
    if (!failure) {
      handler.done({});
      return;
    }
    net::HttpError error;
    error.failure = *failure;
    error.message = "it broke";
    handler.done(std::unexpected(error));
  }
  std::string asked;  // the URL
  std::string sent;
  int status = 0;
  std::optional<net::HttpFailure> failure;
  std::string type = "text/plain";
  std::string body = "the body";
};

ToolContext context_of(PlayedClient& client) {
  static const os::SystemClock clock;
  static const grant::Permits permits({}, {}, nullptr);  // the played client asks nobody
  ToolContext out;
  out.http = &client;
  out.clock = &clock;
  out.permits = &permits;
  return out;
}

ToolEnding call(Effect effect, PlayedClient& client, bool as_data = false) {
  ToolContext context = context_of(client);
  context.as_data = as_data;
  const ToolSpec tool = read_tool("{name: t, type: http, effect: " + std::string(to_string(effect)) +
                                  ", http: {method: POST, url: http://shop.example/pay}}");
  return find_activity_tool("http")->run(tool, Json::object(), context);
}

ToolEnding call(Effect effect, int status, std::optional<net::HttpFailure> failure = std::nullopt) {
  PlayedClient client;
  client.status = status;
  client.failure = failure;
  return call(effect, client);
}

using enum Effect;
using Failure = net::HttpFailure;

TEST(HttpTool, TheStatusDecides) {
  for (const Effect effect : {kPure, kIdempotent, kAtMostOnce}) {
    EXPECT_EQ(call(effect, 204).ending, Ending::kDone);
    EXPECT_EQ(call(effect, 404).ending, Ending::kFailed);
    EXPECT_EQ(call(effect, 302).ending, Ending::kFailed);
    EXPECT_THAT(call(effect, 404).text, HasSubstr("POST answered 404: the body"));
  }
  EXPECT_EQ(call(kIdempotent, 500).ending, Ending::kRetry);
  EXPECT_EQ(call(kIdempotent, 429).retry_after, std::chrono::seconds(7));
  EXPECT_EQ(call(kAtMostOnce, 500).ending, Ending::kUnknown);
  EXPECT_EQ(call(kAtMostOnce, 503).ending, Ending::kFailed);
}

// A large page of error text is still an error.
TEST(HttpTool, AResponseThatIsTooLargeIsDoneOnlyWhenItSucceeded) {
  EXPECT_EQ(call(kIdempotent, 200, Failure::kTooLarge).ending, Ending::kDone);
  EXPECT_EQ(call(kAtMostOnce, 200, Failure::kTooLarge).ending, Ending::kDone);
  EXPECT_EQ(call(kPure, 200, Failure::kTooLarge).ending, Ending::kFailed);
  EXPECT_EQ(call(kIdempotent, 500, Failure::kTooLarge).ending, Ending::kRetry);
  EXPECT_EQ(call(kAtMostOnce, 500, Failure::kTooLarge).ending, Ending::kUnknown);
  EXPECT_EQ(call(kIdempotent, 403, Failure::kTooLarge).ending, Ending::kFailed);
  EXPECT_EQ(call(kAtMostOnce, 403, Failure::kTooLarge).ending, Ending::kFailed);
  EXPECT_THAT(call(kIdempotent, 403, Failure::kTooLarge).text, HasSubstr("POST answered 403: the body"));
  // Headers without end: nothing is known.
  EXPECT_EQ(call(kIdempotent, 0, Failure::kTooLarge).ending, Ending::kRetry);
  EXPECT_EQ(call(kAtMostOnce, 0, Failure::kTooLarge).ending, Ending::kUnknown);
}

TEST(HttpTool, ABrokenResponseLeavesOpenWhatItsStatusDoesNotSay) {
  for (const Failure failure : {Failure::kConnection, Failure::kTotalTimeout, Failure::kCancelled}) {
    for (const int status : {0, 200}) {
      EXPECT_EQ(call(kPure, status, failure).ending, Ending::kRetry);
      EXPECT_EQ(call(kIdempotent, status, failure).ending, Ending::kRetry);
      EXPECT_EQ(call(kAtMostOnce, status, failure).ending, Ending::kUnknown);
    }
    EXPECT_EQ(call(kAtMostOnce, 403, failure).ending, Ending::kFailed);
  }
  // What was never sent.
  for (const Failure failure : {Failure::kBadRequest, Failure::kRefused}) {
    for (const Effect effect : {kPure, kIdempotent, kAtMostOnce})
      EXPECT_EQ(call(effect, 0, failure).ending, Ending::kFailed);
  }
}

TEST(HttpTool, AModelReadsTextAndIsToldOfTheRest) {
  PlayedClient client;
  client.status = 200;
  client.type = "text/plain; charset=ISO-8859-1";
  client.body = "M\xfcller";
  EXPECT_EQ(call(kPure, client).text, "M\u00fcller");
  client.type = "image/png";
  EXPECT_EQ(call(kPure, client).text, "(binary response: image/png, 6 bytes)");
  client.status = 404;
  EXPECT_EQ(call(kPure, client).text, "POST answered 404: (binary response: image/png, 6 bytes)");
}

// A note would be taken for what the server said.
TEST(HttpTool, DataIsWhatTheServerSaidOrAnError) {
  PlayedClient client;
  client.status = 200;
  EXPECT_EQ(call(kPure, client, true).text, "the body");
  client.type = "application/json";
  client.body = "{\"a\":1";
  EXPECT_EQ(call(kPure, client, true).ending, Ending::kFailed);
  EXPECT_EQ(call(kPure, client).ending, Ending::kDone);
  client.type = "image/png";
  for (const Effect effect : {kIdempotent, kAtMostOnce}) {
    const ToolEnding ending = call(effect, client, true);
    EXPECT_EQ(ending.ending, Ending::kFailed);
    EXPECT_THAT(ending.text, HasSubstr("image/png, 6 bytes"));
    EXPECT_THAT(ending.text, HasSubstr("answered with success, and is not repeated"));
  }
  client.failure = Failure::kTooLarge;
  EXPECT_EQ(call(kAtMostOnce, client, true).ending, Ending::kFailed);
}

TEST(HttpTool, ArgumentsAreSentInTheOrderInWhichTheyWereWritten) {
  PlayedClient client;
  client.status = 200;
  ToolContext context = context_of(client);
  const std::string written = R"({"z":1,"id":7,"a":{"y":[{"d":1,"c":2}],"b":2}})";
  const auto call = [&](const std::string& http) {
    const ToolSpec tool = read_tool(
        "{name: t, type: http, effect: pure, parameters: {properties: {z: {}, id: {}, a: {}}}, http: {" +
        http + "}}");
    EXPECT_EQ(find_activity_tool("http")->run(tool, Json::parse(written), context).ending, Ending::kDone);
  };
  for (const std::string_view order : {"", "written"}) {
    context.written = order.empty() ? order : written;
    const bool sorted = order.empty();
    const std::string a = sorted ? R"({"b":2,"y":[{"c":2,"d":1}]})" : R"({"y":[{"d":1,"c":2}],"b":2})";
    call("method: POST, url: \"http://shop.example/{id}\"");
    EXPECT_EQ(client.sent, sorted ? R"({"a":)" + a + R"(,"z":1})" : R"({"z":1,"a":)" + a + "}");
    call("url: \"http://shop.example/{id}\"");
    EXPECT_THAT(client.asked, HasSubstr(sorted ? "?a=" : "?z=1&a="));
    call("method: POST, url: \"http://shop.example/{id}\", body: {of: [\"{a}\"], text: \"= {a}\"}");
    const Json sent = Json::parse(client.sent);
    EXPECT_THAT(client.sent, HasSubstr(R"({"of":[)" + a + "]"));
    EXPECT_EQ(sent["text"], "= " + a);
  }
}

TEST(HttpTool, ABodyIsSentInTheOrderOfTheFile) {
  PlayedClient client;
  client.status = 200;
  const os::SystemClock clock;
  const grant::Permits permits({}, {}, nullptr);
  ToolContext context;
  context.http = &client;
  context.clock = &clock;
  context.permits = &permits;
  const ToolSpec tool = read_tool(
      "{name: t, type: http, effect: idempotent, parameters: {properties: {n: {}}}, http: {method: POST, "
      "url: \"http://shop.example/\", "
      "body: {z: \"{n}\", id: 7, a: {y: [{d: 1, c: 2}], b: 2}}}}");
  EXPECT_EQ(find_activity_tool("http")->run(tool, Json{{"n", 1}}, context).ending, Ending::kDone);
  EXPECT_EQ(client.sent, R"({"z":1,"id":7,"a":{"y":[{"d":1,"c":2}],"b":2}})");
  // What agents have of it is sorted, as their versions are.
  EXPECT_EQ(tool.type->canonical(tool)["body"].dump(),
            R"({"a":{"b":2,"y":[{"c":2,"d":1}]},"id":7,"z":"{n}"})");
}

TEST(HttpTool, ArgumentsOfAGetComeIntoItsQuery) {
  PlayedClient client;
  client.status = 200;
  ToolContext context = context_of(client);
  const auto get = [&](const std::string& url, const Json& arguments) {
    const ToolSpec tool = read_tool(
        "{name: t, type: http, parameters: {additionalProperties: true}, http: {url: \"" + url + "\"}}");
    const ToolEnding ending = find_activity_tool("http")->run(tool, arguments, context);
    return ending.ending == Ending::kDone ? client.asked : ending.text;
  };
  EXPECT_EQ(get("http://shop.example/get?fix=1", {{"v", "x"}}), "http://shop.example/get?fix=1&v=x");
  // Behind a fragment they would not be sent.
  EXPECT_EQ(get("http://shop.example/get?fix=1#part", {{"v", "x"}}), "http://shop.example/get?fix=1&v=x");
  EXPECT_EQ(get("http://shop.example/get#part", {{"v", "#"}}), "http://shop.example/get?v=%23");
  EXPECT_THAT(get("http://shop.example/get?a=0&fix=1", {{"fix", "2"}}),
              HasSubstr("the argument `fix` cannot be given"));
}

}  // namespace
}  // namespace holdfast::agent
