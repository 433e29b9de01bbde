// Goal: a mail says what the definition and the arguments say, in the header and in the body that each is
// for, and how it ended is what is known. Method: a mail server of the test's own on a socket, which answers
// as told.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture/manual_clock.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// One conversation at a time; keeps the commands and the data of the last mail.
class MailServer {
 public:
  MailServer() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~MailServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  int port = 0;
  std::string to_recipient = "250 ok";
  std::string to_mail = "250 kept";  // empty: the connection ends instead
  std::vector<std::string> commands;
  std::string data;

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      converse(peer);
      ::close(peer);
    }
  }
  static void say(int peer, const std::string& line) {
    const std::string out = line + "\r\n";
    (void)!::send(peer, out.data(), out.size(), MSG_NOSIGNAL);
  }
  static bool read_line(int peer, std::string& line) {
    line.clear();
    for (char c = 0; ::recv(peer, &c, 1, 0) == 1;) {
      if (c == '\n') return true;
      if (c != '\r') line += c;
    }
    return false;
  }
  void converse(int peer) {
    commands.clear();
    data.clear();
    say(peer, "220 test");
    std::string line;
    while (read_line(peer, line)) {
      commands.push_back(line);
      if (line.starts_with("RCPT")) {
        say(peer, to_recipient);
      } else if (line == "DATA") {
        say(peer, "354 go on");
        while (read_line(peer, line) && line != ".") data += line + "\n";
        if (to_mail.empty()) return;
        say(peer, to_mail);
      } else if (line == "QUIT") {
        return say(peer, "221 bye");
      } else {
        say(peer, "250 ok");
      }
    }
  }

  int listener_ = -1;
  std::thread thread_;
};

class EmailTool : public ::testing::Test {
 protected:
  ToolEnding send(const Json& arguments, const std::string& more = "", const std::string& tls = "none") {
    const ToolSpec tool = read_tool(
        "{name: mail, type: email, timeout: 10s, parameters: {properties: {subject: {}, text: {}, who: {}}}, "
        "email: {server: "
        "\"127.0.0.1:" +
        std::to_string(server_.port) + "\", tls: " + tls + ", from: \"Ops <ops@example.com>\"" + more + "}}");
    EXPECT_EQ(tool.effect, Effect::kAtMostOnce);
    ToolContext context;
    context.clock = &clock_;
    context.idempotency_key = "abc123";
    const grant::Permits permits({*grant::parse_grant(grant_)}, {}, nullptr);
    context.permits = &permits;
    return find_activity_tool("email")->run(tool, arguments, context);
  }
  static constexpr const char* kTo = ", to: [\"{who}\"]";

  std::string grant_ = "host:127.0.0.1";
  fixture::ManualClock clock_;
  MailServer server_;
};

TEST_F(EmailTool, SaysWhatItIsToldInItsPlace) {
  const ToolEnding ending =
      send({{"subject", "Grüße"}, {"text", "line\n.\nend"}, {"who", "Ada <ada@example.com>"}}, kTo);
  ASSERT_EQ(ending.ending, Ending::kDone) << ending.text;
  EXPECT_THAT(server_.commands, ElementsAre("EHLO example.com", HasSubstr("MAIL FROM:<ops@example.com>"),
                                            HasSubstr("RCPT TO:<ada@example.com>"), "DATA", "QUIT"));
  EXPECT_EQ(
      server_.data,
      "Date: Tue, 14 Nov 2023 22:13:20 +0000\nFrom: \"Ops\" <ops@example.com>\nTo: \"Ada\" "
      "<ada@example.com>\n"
      "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\nMessage-ID: <abc123@example.com>\nAuto-Submitted: auto-generated\n"
      "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
      "bGluZQouCmVuZA==\n");
}

TEST_F(EmailTool, NoArgumentLeavesItsHeader) {
  EXPECT_THAT(
      send({{"subject", "a\r\nBcc: eve@evil.example"}, {"text", ""}, {"who", "a@b.example"}}, kTo).text,
      HasSubstr("the subject is one line"));
  for (const char* who : {"a@b.example\r\nDATA", "a@b.example, c@d.example", "a@b.example> SIZE=1",
                          "\"a b\"@c.example", "nobody", "", "-v@b.example", "x <a@b.example\">"}) {
    const ToolEnding ending = send({{"subject", "s"}, {"text", "t"}, {"who", who}}, kTo);
    EXPECT_EQ(ending.ending, Ending::kFailed) << who;
    EXPECT_THAT(ending.text, HasSubstr("is no address")) << who;
  }
  EXPECT_TRUE(server_.commands.empty());
}

TEST_F(EmailTool, HowItEndedIsWhatIsKnown) {
  const Json arguments = {{"subject", "s"}, {"text", "t"}, {"who", "a@b.example"}};
  server_.to_recipient = "550 nobody of that name";
  ToolEnding ending = send(arguments, kTo);
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("was not sent"));
  EXPECT_THAT(ending.text, HasSubstr("550"));
  server_.to_recipient = "250 ok";
  server_.to_mail = "554 spam";
  EXPECT_EQ(send(arguments, kTo).ending, Ending::kFailed);
  server_.to_mail = "";
  EXPECT_EQ(send(arguments, kTo).ending, Ending::kUnknown);
}

TEST_F(EmailTool, NothingIsSentInTheClearThatShouldNotBe) {
  const ToolEnding ending = send({{"subject", "s"}, {"text", "t"}, {"who", "a@b.example"}}, kTo, "starttls");
  EXPECT_EQ(ending.ending, Ending::kFailed) << ending.text;
  EXPECT_THAT(server_.commands, Not(::testing::Contains(HasSubstr("MAIL"))));
}

TEST_F(EmailTool, GoesWhereItIsGranted) {
  grant_ = "host:mail.example.com";
  const ToolEnding ending = send({{"subject", "s"}, {"text", "t"}, {"who", "a@b.example"}}, kTo);
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("not granted"));
  EXPECT_TRUE(server_.commands.empty());
}

}  // namespace
}  // namespace holdfast::agent
