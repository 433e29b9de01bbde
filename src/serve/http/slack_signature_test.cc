// Goal: what Slack sent is taken once and in time; nothing else is. Method: a table of requests around one
// good one, whose signature is the one of Slack's own documentation.

#include "http/slack_signature.h"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

// https://docs.slack.dev/authentication/verifying-requests-from-slack
constexpr const char* kSecret = "8f742231b10e8888abcd99yyyzzz85a5";
constexpr const char* kTime = "1531420618";
constexpr const char* kBody =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_"
    "name="
    "foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%"
    "2F"
    "hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
    "398738663015."
    "47445629121.803a0bc887a14d10d2c447fce8b6703c";
constexpr const char* kSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

TEST(SlackSignature, IsTheOneOfItsDocumentation) {
  EXPECT_EQ(slack_signature(kSecret, kTime, kBody), kSignature);
}

TEST(SlackSignature, OneIsTakenOnceAndWithinItsWindow) {
  struct Row {
    const char* what;
    std::string time, signature, body;
    std::int64_t now;
    Code code;
  };
  const std::string good = kSignature;
  const std::string body = kBody;
  const std::int64_t sent = 1531420618;
  std::string flipped = good;
  flipped.back() = flipped.back() == '3' ? '4' : '3';
  const Row rows[] = {
      {"at once", kTime, good, body, sent, Code::kOk},
      {"after five minutes", kTime, good, body, sent + 300, Code::kOk},
      {"a clock behind Slack's", kTime, good, body, sent - 300, Code::kOk},
      {"too late", kTime, good, body, sent + 301, Code::kUnauthenticated},
      {"from the future", kTime, good, body, sent - 301, Code::kUnauthenticated},
      {"another body", kTime, good, body + "x", sent, Code::kUnauthenticated},
      {"another time", "1531420619", good, body, sent, Code::kUnauthenticated},
      {"one digit", kTime, flipped, body, sent, Code::kUnauthenticated},
      {"no signature", kTime, "", body, sent, Code::kUnauthenticated},
      {"half a signature", kTime, good.substr(0, 20), body, sent, Code::kUnauthenticated},
      {"without a version", kTime, good.substr(3), body, sent, Code::kUnauthenticated},
      {"no time", "", good, body, sent, Code::kUnauthenticated},
      {"no number", "1531420618x", good, body, sent, Code::kUnauthenticated},
      {"a sign", "-1", slack_signature(kSecret, "-1", kBody), body, sent, Code::kUnauthenticated},
      {"a secret of another app", kTime, slack_signature("other", kTime, kBody), body, sent,
       Code::kUnauthenticated},
  };
  for (const Row& row : rows) {
    SlackSignatures signatures(kSecret);
    EXPECT_EQ(signatures.check(row.time, row.signature, row.body, at(row.now)).code(), row.code) << row.what;
    if (row.code != Code::kOk) continue;
    EXPECT_EQ(signatures.check(row.time, row.signature, row.body, at(row.now)).code(), Code::kAlreadyExists)
        << row.what;
  }
}

TEST(SlackSignature, NoSecretTakesNothing) {
  SlackSignatures signatures("");
  EXPECT_EQ(signatures.check(kTime, slack_signature("", kTime, kBody), kBody, at(1531420618)).code(),
            Code::kUnauthenticated);
}

}  // namespace
}  // namespace holdfast::http
