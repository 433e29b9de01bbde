// Goal: a call is made once, of the tool that was pinned, in the words that the server speaks; whatever the
// server does instead ends as what is known about the call. Method: servers of each revision over HTTP and
// programs over standard streams, which play what the test says.

#include "mcp/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/json.h"
#include "grant/grants.h"
#include "net/server.h"
#include "os/clock.h"
#include "os/thread_executor.h"

namespace holdfast::mcp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using FailureKind = Failure::Kind;
using std::chrono::milliseconds;

const Json kTool =
    Json::parse(R"({"name": "add", "description": "Adds.", "inputSchema": {"type": "object"}})");

struct Reply {
  int status = 200;
  Json message = {};        // its `id` is filled in
  std::string stream = {};  // instead: the text of an event stream, with ID in it
  std::string session = {};
};

// Answers by method; keeps what it was sent.
class PlayedServer {
 public:
  PlayedServer() {
    net::ServerOptions options;
    options.address = "127.0.0.1:0";
    server_ = std::move(*net::Server::start(options, [this](net::Request request, net::Responder responder) {
      const Json asked = parse_json(request.body);
      const std::string method = request.method == "POST" ? text_at(asked, "method") : request.method;
      std::function<Reply(const net::Request&)> answer;
      {
        std::lock_guard lock(mutex_);
        seen_.push_back(method);
        last_ = request;
        answer = on[method];
      }
      net::Response response;
      if (!answer) {
        response.status = method.starts_with("notifications/") ? 202 : 400;
      } else {
        Reply reply = answer(request);
        const std::string id = asked.is_object() && asked.contains("id") ? asked["id"].dump() : "0";
        response.status = reply.status;
        if (!reply.session.empty()) response.headers.push_back({"Mcp-Session-Id", reply.session});
        if (!reply.stream.empty()) {
          response.content_type = "text/event-stream";
          for (std::size_t at; (at = reply.stream.find("ID")) != std::string::npos;)
            reply.stream.replace(at, 2, id);
          response.body = reply.stream;
        } else if (!reply.message.is_null()) {
          reply.message["jsonrpc"] = "2.0";
          reply.message["id"] = Json::parse(id);
          response.body = reply.message.dump();
        }
      }
      responder.reply(std::move(response));
    }));
  }
  std::string url() const { return "http://" + server_->address() + "/mcp"; }
  std::vector<std::string> seen() const {
    std::lock_guard lock(mutex_);
    return seen_;
  }
  net::Request last() const {
    std::lock_guard lock(mutex_);
    return last_;
  }

  std::map<std::string, std::function<Reply(const net::Request&)>> on;

  void be_modern() {
    on["server/discover"] = [](auto&) {
      return Reply{.message = {{"result", {{"supportedVersions", Json::array({kModern})}}}}};
    };
    on["tools/list"] = [](auto&) {
      return Reply{.message = {{"result", {{"tools", Json::array({kTool})}, {"ttlMs", 60000}}}}};
    };
  }
  void be_legacy() {
    on["initialize"] = [](auto&) {
      return Reply{.message = {{"result", {{"protocolVersion", "2025-06-18"}}}}, .session = "s-1"};
    };
    on["tools/list"] = [](auto&) {
      return Reply{.message = {{"result", {{"tools", Json::array({kTool})}}}}};
    };
  }
  void answer_calls(Reply reply) {
    on["tools/call"] = [reply](auto&) { return reply; };
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
  net::Request last_;
  std::unique_ptr<net::Server> server_;
};

Reply text(const std::string& words) {
  return {.message = {{"result", {{"content", {{{"type", "text"}, {"text", words}}}}}}}};
}

class McpClient : public ::testing::Test {
 protected:
  std::shared_ptr<McpServer> over_http() {
    auto out = std::make_shared<McpServer>();
    out->name = "s";
    out->url = server_.url();
    return out;
  }
  // A program that is a script of a shell.
  std::shared_ptr<McpServer> program(const std::string& script) {
    auto out = std::make_shared<McpServer>();
    out->name = "s";
    out->command = {"/bin/sh", "-c", script};
    return out;
  }
  Access access(const McpServer& server, milliseconds at_most = milliseconds(20'000)) {
    permits_.push_back(grants_.naming(agent::needs_of(server)));
    Access out;
    out.clock = &clock_;
    out.permits = permits_.back().get();
    out.deadline = clock_.monotonic() + at_most;
    return out;
  }
  ToolCall add() {
    ToolCall out;
    out.tool = "add";
    Listing listing;
    EXPECT_TRUE(listing.add(Json::array({kTool}), true).ok());
    out.sha256 = listing.tools.front().sha256;
    out.arguments = {{"a", 1}};
    out.idempotency_key = "key-1";
    return out;
  }
  Outcome<Answer> call(const std::shared_ptr<McpServer>& server,
                       milliseconds at_most = milliseconds(20'000)) {
    return client_.call(server, add(), access(*server, at_most));
  }
  std::string called(const std::shared_ptr<McpServer>& server) {
    auto answer = call(server);
    return answer ? answer->text : "failed: " + answer.error().message;
  }
  Failure failure(const std::shared_ptr<McpServer>& server, milliseconds at_most = milliseconds(20'000)) {
    auto answer = call(server, at_most);
    EXPECT_FALSE(answer.has_value());
    return answer ? Failure() : answer.error();
  }

  const os::SystemClock clock_;
  os::ThreadExecutor loop_{"http"};
  std::unique_ptr<net::HttpClient> http_ = net::curl_http_client(loop_, net::Egress::kGranted);
  oauth::Tokens tokens_{clock_};
  os::ThreadExecutor janitor_{"janitor"};
  Client client_{*http_, tokens_, clock_, janitor_};
  grant::Grants grants_{[](const char*) -> const char* { return nullptr; }};
  std::vector<std::shared_ptr<const grant::Permits>> permits_;
  PlayedServer server_;
};

// ---- which revision

TEST_F(McpClient, ANewServerIsAskedWithoutAHandshake) {
  server_.be_modern();
  server_.answer_calls(text("2"));
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_THAT(server_.seen(), ElementsAre("server/discover", "tools/list", "tools/call", "tools/call"));
  const net::Request last = server_.last();
  EXPECT_EQ(last.header("mcp-protocol-version"), kModern);
  EXPECT_EQ(last.header("mcp-method"), "tools/call");
  EXPECT_EQ(last.header("mcp-name"), "add");
  EXPECT_EQ(last.header("idempotency-key"), "key-1");
  const Json body = Json::parse(last.body);
  EXPECT_EQ(body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], kModern);
  EXPECT_EQ(body["params"]["_meta"]["dev.holdfast/idempotency-key"], "key-1");
}

TEST_F(McpClient, AnOlderOneIsGreetedAndItsSessionKept) {
  server_.be_legacy();
  server_.answer_calls(text("2"));
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_THAT(server_.seen(), ElementsAre("server/discover", "initialize", "notifications/initialized",
                                          "tools/list", "tools/call"));
  EXPECT_EQ(server_.last().header("mcp-session-id"), "s-1");
  EXPECT_EQ(server_.last().header("mcp-protocol-version"), "2025-06-18");
  EXPECT_FALSE(Json::parse(server_.last().body)["params"]["_meta"].contains(
      "io.modelcontextprotocol/protocolVersion"));
}

TEST_F(McpClient, AServerOfNeitherRevisionIsNamed) {
  server_.on["server/discover"] = [](auto&) {
    return Reply{
        .status = 400,
        .message = {
            {"error", {{"code", -32022}, {"message", "no"}, {"data", {{"supported", {"2030-01-01"}}}}}}}};
  };
  EXPECT_EQ(failure(over_http()).kind, FailureKind::kError);
  server_.on["server/discover"] = nullptr;
  server_.on["initialize"] = [](auto&) {
    return Reply{.message = {{"result", {{"protocolVersion", "1999-01-01"}}}}};
  };
  EXPECT_THAT(failure(over_http()).message, HasSubstr("revision `1999-01-01`"));
}

TEST_F(McpClient, ASessionThatIsGoneIsReplacedAndTheCallMadeOnce) {
  server_.be_legacy();
  int calls = 0;
  server_.on["tools/call"] = [&calls](auto&) { return ++calls == 1 ? Reply{.status = 404} : text("2"); };
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_EQ(calls, 2);
}

// ---- answers

TEST_F(McpClient, AnAnswerInAStreamBehindOtherWords) {
  server_.be_legacy();
  server_.answer_calls(
      {.stream =
           ": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n"
           "data: {\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"sampling/createMessage\",\"params\":{}}\n\n"
           "data: not json\n\n"
           "data: "
           "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"2\"}]}}"
           "\n\n"});
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_THAT(server_.seen().back(), "") << "its own request was answered";
}

TEST_F(McpClient, AnAnswerInABatch) {
  server_.be_legacy();
  server_.answer_calls({.stream =
                            "data: [{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}},"
                            "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"content\":[{\"type\":\"text\","
                            "\"text\":\"2\"}]}}]\n\n"});
  EXPECT_EQ(called(over_http()), "2");
}

TEST_F(McpClient, AnAnswerThatCannotBeReadEndsTheCall) {
  server_.be_legacy();
  server_.answer_calls(
      {.stream = "id: e-1\ndata: {\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"content\":[{\"type\":\"text\","
                 "\"text\":\"a\\ud83d\"}]}}\n\n"});
  const Failure why = failure(over_http());
  EXPECT_EQ(why.kind, FailureKind::kBroken);
  EXPECT_TRUE(why.sent);
  EXPECT_THAT(why.message, HasSubstr("cannot be read"));
}

TEST_F(McpClient, AStreamThatBreaksOffIsTakenUpAgainWhereItWas) {
  server_.be_legacy();
  server_.answer_calls({.stream = "retry: 1\nid: e-1\ndata: \n\n"});
  std::string id;
  server_.on["GET"] = [&](const net::Request& request) {
    id = request.header("last-event-id");
    // Of the four requests with a number this is the answer to the last.
    return Reply{.stream =
                     "data: "
                     "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"content\":[{\"type\":\"text\",\"text\":"
                     "\"2\"}]}}\n\n"};
  };
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_EQ(id, "e-1");
}

TEST_F(McpClient, AFailureOfTheToolIsAnAnswer) {
  server_.be_modern();
  server_.answer_calls(
      {.message = {
           {"result", {{"isError", true}, {"content", {{{"type", "text"}, {"text", "no such order"}}}}}}}});
  auto answer = call(over_http());
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->is_error);
  EXPECT_EQ(answer->text, "no such order");
}

TEST_F(McpClient, ASecondQuestionIsRefused) {
  server_.be_modern();
  server_.answer_calls({.message = {{"result",
                                     {{"resultType", "input_required"},
                                      {"inputRequests", {{"q", {{"method", "elicitation/create"}}}}}}}}});
  const Failure why = failure(over_http());
  EXPECT_EQ(why.kind, FailureKind::kInputNeeded);
  EXPECT_THAT(why.message, HasSubstr("elicitation/create"));
}

// ---- what is known when it fails

TEST_F(McpClient, WhatTheStatusSays) {
  server_.be_modern();
  const auto with = [&](int status) {
    server_.answer_calls({.status = status});
    return failure(over_http());
  };
  EXPECT_EQ(with(401).kind, FailureKind::kUnauthorized);
  EXPECT_EQ(with(429).kind, FailureKind::kBusy);
  EXPECT_FALSE(with(503).sent);
  EXPECT_EQ(with(500).kind, FailureKind::kBroken);
  EXPECT_TRUE(with(500).sent);
  EXPECT_EQ(with(302).kind, FailureKind::kWrongEra);
}

TEST_F(McpClient, AChangedToolIsNotCalled) {
  server_.be_modern();
  server_.on["tools/list"] = [](auto&) {
    Json other = kTool;
    other["description"] = "Adds, and deletes everything.";
    return Reply{.message = {{"result", {{"tools", Json::array({other})}}}}};
  };
  const Failure changed = failure(over_http());
  EXPECT_EQ(changed.kind, FailureKind::kChanged);
  EXPECT_THAT(changed.message, HasSubstr("ToolChangedError"));
  server_.on["tools/list"] = [](auto&) { return Reply{.message = {{"result", {{"tools", Json::array()}}}}}; };
  EXPECT_THAT(failure(over_http()).message, HasSubstr("no longer has the tool `add`"));
  EXPECT_THAT(server_.seen(), ::testing::Not(::testing::Contains("tools/call")));
}

TEST_F(McpClient, AListThatDoesNotSayHowLongItIsGoodIsAskedForAgain) {
  server_.be_modern();
  server_.on["tools/list"] = [](auto&) {
    return Reply{.message = {{"result", {{"tools", Json::array({kTool})}}}}};
  };
  server_.answer_calls(text("2"));
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_EQ(called(over_http()), "2");
  EXPECT_THAT(server_.seen(),
              ElementsAre("server/discover", "tools/list", "tools/call", "tools/list", "tools/call"));
}

TEST_F(McpClient, ListsAreReadToTheirEndOrNotAtAll) {
  server_.be_modern();
  server_.on["tools/list"] = [](const net::Request& request) {
    const Json params = Json::parse(request.body)["params"];
    Json tool = kTool;
    if (params.contains("cursor")) tool["name"] = "sub";
    Json result = {{"tools", Json::array({tool})}};
    if (!params.contains("cursor")) result["nextCursor"] = "";  // an empty one is one
    return Reply{.message = {{"result", result}}};
  };
  auto server = over_http();
  auto listing = client_.list(server, access(*server));
  ASSERT_TRUE(listing.has_value()) << listing.error().message;
  EXPECT_EQ(listing->tools.size(), 2u);
  server_.on["tools/list"] = [](auto&) {
    return Reply{.message = {{"result", {{"tools", Json::array()}, {"nextCursor", "again"}}}}};
  };
  EXPECT_THAT(client_.list(server, access(*server)).error().message, HasSubstr("no end"));
  server_.on["tools/list"] = [](auto&) {
    return Reply{.message = {{"result", {{"tools", Json::array()}, {"nextCursor", 5}}}}};
  };
  EXPECT_THAT(client_.list(server, access(*server)).error().message, HasSubstr("nextCursor"));
}

TEST_F(McpClient, AnAnswerWithoutEndIsCut) {
  server_.be_modern();
  server_.answer_calls(text(std::string(3 << 20, 'x')));
  auto server = over_http();
  server->max_response_bytes = 1 << 20;
  const Failure why = failure(server);
  EXPECT_EQ(why.kind, FailureKind::kTooLarge);
  EXPECT_TRUE(why.sent);
}

TEST_F(McpClient, WithoutAGrantNothingIsSent) {
  auto server = over_http();
  const grant::Permits none({}, {}, nullptr);
  Access access_without = access(*server);
  access_without.permits = &none;
  auto answer = client_.call(server, add(), access_without);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, FailureKind::kNotSent);
  auto command = program("echo started > /dev/stderr");
  answer = client_.call(command, add(), access_without);
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("--grant 'command:[\"/bin/sh\",\"-c\","));
  EXPECT_TRUE(server_.seen().empty());
}

// ---- programs

constexpr const char* kDiscover =
    R"(read x; echo '{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"]}}';)"
    R"(read x; echo '{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"add","description":"Adds.","inputSchema":{"type":"object"}}],"ttlMs":60000}}';)";

TEST_F(McpClient, AProgramIsKeptBetweenCalls) {
  auto server = program(
      std::string(kDiscover) +
      R"(n=3; while read x; do echo "{\"jsonrpc\":\"2.0\",\"id\":$n,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"$n\"}]}}"; n=$((n+1)); done)");
  EXPECT_EQ(called(server), "3");
  EXPECT_EQ(called(server), "4");
}

TEST_F(McpClient, AProgramThatDiesInMidCallLeavesItUnknownAndIsStartedAnew) {
  auto server = program(std::string(kDiscover) + "read x; echo out of memory >&2; kill -9 $$");
  for (int i = 0; i < 2; ++i) {
    const Failure why = failure(server);
    EXPECT_EQ(why.kind, FailureKind::kUnreachable);
    EXPECT_TRUE(why.sent);
    EXPECT_THAT(why.message, HasSubstr("was ended by signal 9; it said: out of memory"));
  }
}

TEST_F(McpClient, AProgramThatDoesNotStartWasAskedNothing) {
  auto server = program("echo no database >&2; exit 3");
  const Failure why = failure(server);
  EXPECT_FALSE(why.sent);
  EXPECT_THAT(why.message, HasSubstr("exited with code 3; it said: no database"));
  server->command = {"/no/such/program"};
  EXPECT_EQ(failure(server).kind, FailureKind::kNotSent);
}

TEST_F(McpClient, AProgramThatSaysTooMuchIsEnded) {
  auto server = program(std::string(kDiscover) + "read x; exec cat /dev/zero");
  const Failure why = failure(server);
  EXPECT_EQ(why.kind, FailureKind::kTooLarge);
  EXPECT_TRUE(why.sent);
}

TEST_F(McpClient, ASilentProgramIsGivenUp) {
  auto server = program(std::string(kDiscover) + "read x; exec sleep 100");
  const Failure why = failure(server, milliseconds(1'000));
  EXPECT_EQ(why.kind, FailureKind::kUnreachable);
  EXPECT_TRUE(why.sent);
}

TEST_F(McpClient, ACancelledCallEndsAtOnce) {
  auto server = program(std::string(kDiscover) + "read x; exec sleep 100");
  std::stop_source stop;
  Access with_stop = access(*server);
  with_stop.stop = stop.get_token();
  int beats = 0;
  with_stop.heartbeat = {milliseconds(10), [&] {
                           if (++beats == 5) stop.request_stop();
                         }};
  auto answer = client_.call(server, add(), with_stop);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, FailureKind::kCancelled);
}

}  // namespace
}  // namespace holdfast::mcp
