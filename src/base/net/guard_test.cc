// Which requests pass, as a table: each row is a head as a browser, a program or an attacker sends it.

#include "net/guard.h"

#include <gtest/gtest.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace holdfast::net {
namespace {

const std::string kPages[] = {"/", "/runs/{id}"};

// The status of the refusal; 0: it passes, -1: no head.
int verdict(const std::string& request_line, const std::string& fields) {
  const std::string bytes = request_line + "\r\n" + fields + "\r\n";
  const HeadBytes head = HeadScan().find(bytes);
  if (!head.wrong.empty()) return 400;
  if (head.end == 0) return -1;
  boost::beast::http::request_parser<boost::beast::http::string_body> parser;
  boost::system::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), head.end), error);
  if (error) return 400;
  const auto problem = guard(parser.get(), {.pages = kPages});
  return problem ? problem->status() : 0;
}

struct Row {
  const char* what;
  const char* request_line;
  const char* fields;
  int status;
};

constexpr char kHost[] = "Host: localhost:8233\r\n";

TEST(Guard, LetsPassWhatIsForUsAndFromUs) {
  const Row rows[] = {
      {"curl", "GET /api/v1/runs HTTP/1.1", "", 0},
      {"HTTP/1.0 without a host", "GET / HTTP/1.0", "", 0},
      {"our page", "POST /api/v1/runs HTTP/1.1",
       "Origin: http://localhost:8233\r\nSec-Fetch-Site: same-origin\r\n", 0},
      {"behind a proxy with TLS", "POST /api/v1/runs HTTP/1.1", "Origin: https://localhost:8233\r\n", 0},
      {"typed by a person", "GET /api/v1/runs HTTP/1.1",
       "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n", 0},
      {"another page's form", "POST /api/v1/runs HTTP/1.1", "Origin: http://evil.example\r\n", 403},
      {"a page in a sandbox", "POST /api/v1/runs HTTP/1.1", "Origin: null\r\n", 403},
      {"an empty origin", "POST /api/v1/runs HTTP/1.1", "Origin: \r\n", 403},
      {"a page of another port", "POST /api/v1/runs HTTP/1.1", "Origin: http://localhost:3000\r\n", 403},
      {"two origins", "POST / HTTP/1.1", "Origin: http://localhost:8233\r\nOrigin: http://evil.example\r\n",
       400},
      {"no-cors fetch", "GET /api/v1/events HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: empty\r\nAccept: "
       "text/html\r\n",
       403},
      {"an image of another port's page", "GET /api/v1/events HTTP/1.1",
       "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n", 403},
      {"a value of tomorrow", "GET /api/v1/events HTTP/1.1", "Sec-Fetch-Site: same-planet\r\n", 403},
      {"a link to the page", "GET /?x=1 HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 0},
      {"a link to a run on the page", "GET /runs/a%20b?step=2 HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 0},
      {"a link to less than a run", "GET /runs/ HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 403},
      {"a link to more than a run", "GET /runs/1/x HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 403},
      {"a link to the API", "GET /api/v1/runs HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 403},
      {"the page in a frame", "GET / HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", 403},
      {"a form that opens the page", "POST / HTTP/1.1",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 403},
      {"two sites", "GET / HTTP/1.1", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n", 400},
  };
  for (const Row& row : rows) {
    const bool has_host = std::string_view(row.request_line).ends_with("1.1");
    EXPECT_EQ(verdict(row.request_line, (has_host ? kHost : "") + std::string(row.fields)), row.status)
        << row.what;
  }
}

TEST(Guard, TheHostDecidesFirst) {
  const auto host = [](std::string name) {
    return verdict("GET / HTTP/1.1", "Host: " + std::move(name) + "\r\n");
  };
  for (const char* ours :
       {"localhost", "LOCALHOST:1", "127.0.0.1:8233", "127.9.9.9", "[::1]", "[::1]:80", "a.localhost"}) {
    EXPECT_EQ(host(ours), 0) << ours;
  }
  for (const char* other : {"evil.example", "127.0.0.1.nip.io", "localhost.evil.example",
                            "127.0.0.1@evil.example", "localhost:80@evil", "localhost.", "2130706433",
                            "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "192.168.0.1", "[", "localhost:x"}) {
    EXPECT_EQ(host(other), 421) << other;
  }
  // What a rebound name sends: nothing but the host says that the page is not ours.
  EXPECT_EQ(verdict("POST /api/v1/runs HTTP/1.1",
                    "Host: evil.example:8233\r\nOrigin: http://evil.example:8233\r\n"),
            421);
  EXPECT_EQ(verdict("GET http://evil.example/ HTTP/1.1", kHost), 421);
  EXPECT_EQ(verdict("GET HTTP://localhost/ HTTP/1.1", kHost), 0);
  EXPECT_EQ(verdict("GET / HTTP/1.1", ""), 400);
  EXPECT_EQ(verdict("GET / HTTP/1.1", std::string(kHost) + kHost), 400);
}

TEST(Guard, ARequestHasOneReading) {
  const auto post = [](const std::string& fields) { return verdict("POST /x HTTP/1.1", kHost + fields); };
  EXPECT_EQ(post("Transfer-Encoding: chunked\r\n"), 0);
  EXPECT_EQ(post("Transfer-Encoding: Chunked\r\n"), 0);
  EXPECT_EQ(post("Transfer-Encoding: gzip, chunked\r\n"), 501);
  EXPECT_EQ(post("Transfer-Encoding: xchunked\r\n"), 501);
  EXPECT_EQ(post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"), 400);
  EXPECT_EQ(post("Content-Length: 2\r\nContent-Length: 50\r\n"), 400);
  EXPECT_EQ(post("Content-Length: 2, 2\r\n"), 400);
  EXPECT_EQ(post("Content-Length: +2\r\n"), 400);
  EXPECT_EQ(post("Content-Length: -1\r\n"), 400);
  EXPECT_EQ(post("Transfer-Encoding : chunked\r\n"), 400);
  EXPECT_EQ(post("X: a\r\n b\r\n"), 400);
  EXPECT_EQ(post("X: a\r\n\tb\r\n"), 400);
  EXPECT_EQ(post(std::string("X: a\0b\r\n", 8)), 400);
  EXPECT_EQ(post("X: a\rb\r\n"), 400);
  EXPECT_EQ(post("X: a\nY: b\r\n"), 400);
  EXPECT_EQ(verdict("POST /x HTTP/1.0", std::string(kHost) + "Transfer-Encoding: chunked\r\n"), 400);
}

TEST(Guard, AHeadEndsBehindItsEmptyLine) {
  const std::string head = "\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(HeadScan().find(head + "body").end, head.size());
  for (std::size_t cut = 0; cut < head.size(); ++cut) {
    const HeadBytes part = HeadScan().find(std::string_view(head).substr(0, cut));
    EXPECT_EQ(part.end, 0U) << cut;
    EXPECT_EQ(part.wrong, "") << cut;
  }
  HeadScan scan;
  std::size_t arrived = 1;
  while (scan.find(std::string_view(head).substr(0, arrived)).end == 0 && arrived < head.size()) ++arrived;
  EXPECT_EQ(arrived, head.size()) << "byte by byte";
  EXPECT_NE(HeadScan().find("GET / HTTP/1.1\nHost: localhost\n\n").wrong, "");
}

}  // namespace
}  // namespace holdfast::net
