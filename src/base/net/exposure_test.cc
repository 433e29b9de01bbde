// Where the server may listen, for whom it answers there, and whom it hears in the clear.

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "net/guard.h"
#include "net/server.h"

namespace holdfast::net {
namespace {

TEST(Exposure, BeyondLoopbackNeedsTlsOrAProxy) {
  EXPECT_EQ(parse_address("0.0.0.0:80", false).error().code(), Code::kPermissionDenied);
  EXPECT_NE(parse_address("0.0.0.0:80", false).error().message().find("--tls-cert"), std::string::npos);
  EXPECT_EQ(parse_address("0.0.0.0:80", true)->host, "0.0.0.0");
  EXPECT_EQ(parse_address("[::]:80", true)->host, "::");
  EXPECT_EQ(parse_address("example.org:80", true).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(parse_address("127.0.0.1:80", false)->host, "127.0.0.1");
}

int verdict(const std::string& host, const Places& places) {
  const std::string text = "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
  boost::beast::http::request_parser<boost::beast::http::empty_body> parser;
  boost::system::error_code error;
  parser.put(boost::asio::buffer(text), error);
  const auto problem = guard(parser.get(), places);
  return problem ? problem->status() : 0;
}

TEST(Exposure, AnswersForItsPublicNameAndForNumbers) {
  const std::vector<std::string> hosts = {"holdfast.example:8443", "holdfast.example"};
  const Places named{.pages = {}, .hosts = hosts, .numbers = true};
  for (const char* ours : {"holdfast.example", "HOLDFAST.example:8443", "10.0.0.7:8233", "[2001:db8::1]:8233",
                           "localhost:1", "127.0.0.1"}) {
    EXPECT_EQ(verdict(ours, named), 0) << ours;
  }
  for (const char* other : {"evil.example", "holdfast.example.evil", "evil.holdfast.example",
                            "10.0.0.7.nip.io", "holdfast.example:x", "holdfast.example@evil"}) {
    EXPECT_EQ(verdict(other, named), 421) << other;
  }
  EXPECT_EQ(verdict("10.0.0.7", {.pages = {}, .hosts = hosts}), 421)
      << "on loopback no number is ours but those";
}

// One request over a socket to a server that listens beyond loopback; empty: it was closed on us.
std::string ask(std::uint16_t port, const std::string& more = {}) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  boost::system::error_code error;
  boost::asio::write(
      socket,
      boost::asio::buffer("GET / HTTP/1.1\r\nHost: localhost\r\n" + more + "Connection: close\r\n\r\n"),
      error);
  std::string out;
  std::array<char, 4096> piece;
  while (const std::size_t got = socket.read_some(boost::asio::buffer(piece), error))
    out.append(piece.data(), got);
  return out;
}

Handler telling() {
  return [](Request request, Responder responder) {
    responder.reply({.status = 200, .body = request.peer + (request.secure ? " secure" : " clear")});
  };
}

TEST(Exposure, InTheClearOnlyTheProxyIsHeard) {
  ServerOptions options;
  options.address = "0.0.0.0:0";
  options.trusted_proxies = {"192.0.2.1"};
  auto closed = Server::start(options, telling());
  ASSERT_TRUE(closed) << closed.error().to_string();
  EXPECT_EQ(ask((*closed)->port()), "") << "whoever is no proxy is not answered";

  options.trusted_proxies = {"127.0.0.1"};
  auto open = Server::start(options, telling());
  ASSERT_TRUE(open) << open.error().to_string();
  EXPECT_NE(ask((*open)->port()).find("127.0.0.1 secure"), std::string::npos);
  EXPECT_NE(ask((*open)->port(), "X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\n").find("198.51.100.7 secure"),
            std::string::npos)
      << "the last one is the proxy's own word";
  EXPECT_NE(ask((*open)->port(), "X-Forwarded-For: x\r\n").find("127.0.0.1 secure"), std::string::npos);
}

TEST(Exposure, AHeaderOfStrangersNamesNobody) {
  auto server = Server::start({.address = "127.0.0.1:0"}, telling());
  ASSERT_TRUE(server);
  EXPECT_NE(ask((*server)->port(), "X-Forwarded-For: 6.6.6.6\r\n").find("127.0.0.1 clear"),
            std::string::npos);
}

}  // namespace
}  // namespace holdfast::net
