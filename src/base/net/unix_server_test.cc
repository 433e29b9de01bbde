// The HTTP server and our client over a Unix socket: who calls is known, and nothing that he says about that
// is believed; the guards are those of loopback.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "net/client_tls.h"
#include "net/fetch.h"
#include "net/server.h"
#include "os/thread_executor.h"

namespace holdfast::net {
namespace {

using ::testing::HasSubstr;

class UnixServer : public ::testing::Test {
 protected:
  UnixServer() {
    std::string name = (std::filesystem::temp_directory_path() / "unix-server-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    ServerOptions options;
    options.address = "unix:" + path();
    options.trusted_proxies = {"127.0.0.1"};
    server_ = Server::start(options, [](Request request, Responder responder) {
                responder.reply({.content_type = "text/plain",
                                 .body = request.peer + (request.user ? "" : " nobody") +
                                         (request.secure ? " secure" : "") + " " + request.body});
              }).value();
    client_ = curl_http_client(loop_, Egress::kAnywhere, {}, path());
  }
  ~UnixServer() override {
    client_.reset();
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(path()));
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return (folder_ / "api").string(); }
  HttpResponse ask(Headers headers, const std::string& body = "") {
    HttpRequest request;
    request.url = "http://localhost/x";
    request.method = body.empty() ? "GET" : "POST";
    request.headers = std::move(headers);
    request.body = body;
    auto answer = fetch(*client_, std::move(request));
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : HttpResponse();
  }

  std::filesystem::path folder_;
  os::ThreadExecutor loop_{"http-client"};
  std::unique_ptr<Server> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(UnixServer, KnowsWhichUserCallsAndTakesNobodysWordForIt) {
  const std::string me = "user " + std::to_string(::geteuid());
  EXPECT_EQ(server_->port(), 0);
  EXPECT_EQ(ask({}).body, me + " ");
  EXPECT_EQ(ask({{"X-Forwarded-For", "10.1.2.3"}}).body, me + " ");
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(ask({}, large).body, me + " " + large);
}

TEST_F(UnixServer, IsGuardedAsLoopbackIs) {
  EXPECT_EQ(ask({{"Host", "evil.example"}}).head.status, 421);
  EXPECT_EQ(ask({{"Origin", "http://evil.example"}}).head.status, 403);
  EXPECT_EQ(ask({}).head.status, 200);
}

}  // namespace
}  // namespace holdfast::net
