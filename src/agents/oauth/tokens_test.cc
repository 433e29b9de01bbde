// Goal: a token is got once for all who need it, in time, within the grants, and is seen nowhere. Method: a
// token's server played by an HTTP client, a clock that the test moves.

#include "oauth/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "grant/grants.h"

namespace holdfast::oauth {
namespace {

using agent::AuthSpec;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class MovedClock : public Clock {
 public:
  WallTime now() const override { return WallTime(at_.load()); }
  MonotonicTime monotonic() const override { return MonotonicTime(at_.load()); }
  void move(std::chrono::nanoseconds by) { at_ = at_.load() + by; }

 private:
  std::atomic<std::chrono::nanoseconds> at_{seconds(1'000'000)};
};

// Answers at once with "token-N".
class TokenServer : public net::HttpClient {
 public:
  void start(net::HttpRequest request, net::HttpHandler handler, std::stop_token) override {
    last = std::move(request);
    const int n = ++asked;
    if (wait) wait();
    net::HttpHead head;
    head.status = status;
    handler.head(head);
    handler.body(body.empty() ? R"({"access_token": "token-number-)" + std::to_string(n) +
                                    R"(", "token_type": "Bearer", "expires_in": 600})"
                              : body);
    handler.done({});
  }
  std::atomic<int> asked = 0;
  int status = 200;
  std::string body;
  net::HttpRequest last;
  std::function<void()> wait;
};

const char* variable(const char* name) {
  const std::string_view asked = name;
  if (asked == "ID") return "the client";
  if (asked == "SECRET") return "a:secret";
  if (asked == "REFRESH") return "refresh-0";
  return nullptr;
}

class OauthTokens : public ::testing::Test {
 protected:
  static AuthSpec auth() {
    AuthSpec out;
    out.token_url = "https://login.example.com/token";
    out.client_id_env = "ID";
    out.client_secret_env = "SECRET";
    out.scopes = {"a.read", "a.write"};
    return out;
  }
  Result<std::string> get(const AuthSpec& auth) {
    agent::Needs needs;
    agent::add_needs(auth, needs);
    const grant::Grants grants(variable);
    return get(auth, grants.naming(needs));
  }
  Result<std::string> get(const AuthSpec& auth, const std::shared_ptr<const grant::Permits>& permits) {
    TokenCall call;
    call.http = &server_;
    call.permits = permits.get();
    return tokens_.get(auth, call);
  }

  MovedClock clock_;
  TokenServer server_;
  Tokens tokens_{clock_};
};

TEST_F(OauthTokens, OneIsKeptUntilShortlyBeforeItExpires) {
  EXPECT_EQ(get(auth()).value_or(""), "token-number-1");
  clock_.move(seconds(530));
  EXPECT_EQ(get(auth()).value_or(""), "token-number-1");
  clock_.move(seconds(20));
  EXPECT_EQ(get(auth()).value_or(""), "token-number-2");
}

TEST_F(OauthTokens, TheRequestIsOfRfc6749) {
  ASSERT_TRUE(get(auth()).has_value());
  EXPECT_EQ(server_.last.body, "grant_type=client_credentials&scope=a.read%20a.write");
  EXPECT_THAT(server_.last.headers, ::testing::Contains(std::pair<std::string, std::string>(
                                        "Authorization", "Basic dGhlJTIwY2xpZW50OmElM0FzZWNyZXQ=")));
  AuthSpec in_body = auth();
  in_body.secret_in_body = true;
  in_body.parameters = {{"audience", "https://api"}};
  ASSERT_TRUE(get(in_body).has_value());
  EXPECT_THAT(server_.last.body,
              HasSubstr("&audience=https%3A%2F%2Fapi&client_id=the%20client&client_secret=a%3Asecret"));
}

TEST_F(OauthTokens, OneAsksAndTheOthersWait) {
  std::atomic<int> waiting = 0;
  server_.wait = [&] {
    while (waiting < 8) std::this_thread::yield();
  };
  std::vector<std::jthread> threads;
  std::atomic<int> same = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      ++waiting;
      if (get(auth()).value_or("") == "token-number-1") ++same;
    });
  }
  threads.clear();
  EXPECT_EQ(same, 8);
  EXPECT_EQ(server_.asked, 1);
}

TEST_F(OauthTokens, ARefusedOneIsReplacedOnce) {
  const std::string first = get(auth()).value_or("");
  tokens_.refused(first);
  EXPECT_EQ(get(auth()).value_or(""), "token-number-2");
  tokens_.refused(first);  // by a call that was sent with the old one
  EXPECT_EQ(get(auth()).value_or(""), "token-number-2");
}

TEST_F(OauthTokens, ARefreshTokenIsTurnedOver) {
  AuthSpec refresh = auth();
  refresh.type = AuthSpec::Type::kRefreshToken;
  refresh.refresh_token_env = "REFRESH";
  server_.body =
      R"({"access_token": "token-one", "token_type": "bearer", "expires_in": "10", "refresh_token": "refresh-1"})";
  EXPECT_EQ(get(refresh).value_or(""), "token-one");
  EXPECT_THAT(server_.last.body, HasSubstr("grant_type=refresh_token&refresh_token=refresh-0"));
  clock_.move(seconds(10));
  EXPECT_TRUE(get(refresh).has_value());
  EXPECT_THAT(server_.last.body, HasSubstr("refresh_token=refresh-1"));
}

TEST_F(OauthTokens, WhatTheServerSaysIsNoSecretAndNoToken) {
  server_.status = 400;
  server_.body = R"({"error": "invalid_client", "error_description": "the secret a:secret is wrong"})";
  auto refused = get(auth());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::kUnauthenticated);
  EXPECT_THAT(refused.error().message(), HasSubstr("it answered 400 invalid_client"));
  EXPECT_THAT(refused.error().message(), Not(HasSubstr("a:secret")));
  server_.status = 503;
  EXPECT_EQ(get(auth()).error().code(), Code::kUnavailable);
  server_.status = 200;
  for (const char* body : {"{}", "[]", "no", R"({"access_token": 7})", R"({"access_token": "a\r\nX: y"})",
                           R"({"access_token": "a", "token_type": "mac"})"}) {
    server_.body = body;
    EXPECT_EQ(get(auth()).error().code(), Code::kUnauthenticated) << body;
  }
  server_.body.clear();
  EXPECT_TRUE(get(auth()).has_value());
}

TEST_F(OauthTokens, OnlyWithinTheGrants) {
  ASSERT_TRUE(get(auth()).has_value());
  const grant::Grants none(variable);
  // A token that is kept is not for others.
  EXPECT_EQ(get(auth(), none.of("v")).error().code(), Code::kPermissionDenied);
  AuthSpec unset = auth();
  unset.client_id_env = "NOT_SET";
  EXPECT_THAT(get(unset).error().message(), HasSubstr("NOT_SET is not set"));
}

TEST_F(OauthTokens, AreTakenOutOfTexts) {
  ASSERT_TRUE(get(auth()).has_value());
  EXPECT_EQ(tokens_.redact("you sent token-number-1"), "you sent [secret OAuth token]");
  clock_.move(seconds(600));
  ASSERT_TRUE(get(auth()).has_value());
  EXPECT_EQ(tokens_.redact("token-number-1, token-number-2"), "[secret OAuth token], [secret OAuth token]");
}

}  // namespace
}  // namespace holdfast::oauth
