// Goal: no spelling of a host, no address behind a name and no redirect reaches what was not granted. Method:
// a table of spellings, each read and judged; the same ones against a real server on this machine, which must
// see nothing; names whose address is not of the granted class.

#include "net/reach.h"

#include <gmock/gmock.h>
#include <netdb.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>

#include "net/fetch.h"
#include "net/server.h"
#include "os/thread_executor.h"

namespace holdfast::net {
namespace {

using ::testing::HasSubstr;

struct Spelling {
  const char* host;
  const char* is;  // the class of the address; "": unreadable; "name": known by its address only
};

constexpr Spelling kSpellings[] = {
    // This machine.
    {"127.0.0.1", "loopback"},
    {"127.0.0.1.", "loopback"},
    {"127.1", "loopback"},
    {"127.0.1", "loopback"},
    {"127.255.255.254", "loopback"},
    {"2130706433", "loopback"},
    {"0x7f000001", "loopback"},
    {"0X7F000001", "loopback"},
    {"0x7f.1", "loopback"},
    {"0x7f.0x0.0x0.0x1", "loopback"},
    {"0177.0.0.1", "loopback"},
    {"0177.1", "loopback"},
    {"017700000001", "loopback"},
    {"00000177.0.0.01", "loopback"},
    {"0x7f.0.0.01", "loopback"},
    {"127.0x0.0.1", "loopback"},
    {"%31%32%37.0.0.1", "loopback"},
    {"127%2e0.0.1", "loopback"},
    {"0.0.0.0", "loopback"},
    {"0", "loopback"},
    {"0x0", "loopback"},
    {"00.0", "loopback"},
    {"localhost", "loopback"},
    {"LOCALHOST", "loopback"},
    {"localhost.", "loopback"},
    {"app.localhost", "loopback"},
    {"%6c%6fcalhost", "loopback"},
    {"[::1]", "loopback"},
    {"[0:0:0:0:0:0:0:1]", "loopback"},
    {"[0000::0001]", "loopback"},
    {"[::]", "loopback"},
    {"[::ffff:127.0.0.1]", "loopback"},
    {"[::ffff:7f00:1]", "loopback"},
    {"[0:0:0:0:0:ffff:127.0.0.1]", "loopback"},
    {"[::FFFF:127.0.0.1]", "loopback"},
    {"[::ffff:0.0.0.0]", "loopback"},
    {"[::127.0.0.1]", "loopback"},
    {"[::7f00:1]", "loopback"},
    {"[64:ff9b::127.0.0.1]", "loopback"},
    {"[64:ff9b::7f00:1]", "loopback"},
    {"[2002:7f00:1::]", "loopback"},
    {"[2606:4700::5efe:7f00:1]", "loopback"},
    {"[2606:4700::200:5efe:127.0.0.1]", "loopback"},
    // Clouds.
    {"169.254.169.254", "metadata"},
    {"2852039166", "metadata"},
    {"0xa9fea9fe", "metadata"},
    {"0251.0376.0251.0376", "metadata"},
    {"169.254.43518", "metadata"},
    {"169.16689662", "metadata"},
    {"[::ffff:169.254.169.254]", "metadata"},
    {"[::ffff:a9fe:a9fe]", "metadata"},
    {"[64:ff9b::169.254.169.254]", "metadata"},
    {"[2002:a9fe:a9fe::]", "metadata"},
    {"[fd00:ec2::254]", "metadata"},
    {"[fd00:0ec2:0:0:0:0:0:0254]", "metadata"},
    {"169.254.170.2", "metadata"},
    {"100.100.100.200", "metadata"},
    {"168.63.129.16", "metadata"},
    // Neighbours.
    {"10.0.0.1", "private"},
    {"167772161", "private"},
    {"10.1", "private"},
    {"172.16.0.1", "private"},
    {"172.31.255.255", "private"},
    {"192.168.1.1", "private"},
    {"0xc0.0xa8.0x1.0x1", "private"},
    {"[::ffff:10.0.0.1]", "private"},
    {"[64:ff9b::10.0.0.1]", "private"},
    {"[2002:c0a8:101::1]", "private"},
    {"[fc00::1]", "private"},
    {"[fd12:3456::1]", "private"},
    {"[fec0::1]", "private"},
    {"100.64.0.1", "shared"},
    {"100.127.255.255", "shared"},
    {"[::ffff:100.64.0.1]", "shared"},
    {"169.254.1.1", "link-local"},
    {"[fe80::1]", "link-local"},
    {"[febf::1]", "link-local"},
    // Nobody.
    {"224.0.0.1", "multicast"},
    {"[ff02::1]", "multicast"},
    {"255.255.255.255", "reserved"},
    {"240.0.0.1", "reserved"},
    {"0.0.0.1", "reserved"},
    {"198.18.0.1", "reserved"},
    {"192.0.2.1", "reserved"},
    {"203.0.113.9", "reserved"},
    {"[2001:db8::1]", "reserved"},
    {"[2001::1]", "reserved"},
    {"[64:ff9b:1::7f00:1]", "reserved"},
    {"[100::1]", "reserved"},
    {"[4000::1]", "reserved"},
    {"[::8.8.8.8]", "public"},
    // The world.
    {"8.8.8.8", "public"},
    {"172.32.0.1", "public"},
    {"100.128.0.1", "public"},
    {"[2606:4700::1111]", "public"},
    {"[64:ff9b::8.8.8.8]", "public"},
    {"example.com", "name"},
    {"EXAMPLE.com.", "name"},
    {"1.2.3.4.example.com", "name"},
    {"xn--bcher-kva.example", "name"},
    {"127.0.0.1.nip.io", "name"},
    {"localhost.example.com", "name"},
    // No host at all.
    {"１２７.0.0.1", ""},
    {"127。0。0。1", ""},
    {"127．0．0．1", ""},
    {"①②⑦.0.0.1", ""},
    {"ⓛocalhost", ""},
    {"loc\u00adalhost", ""},
    {"bücher.example", ""},
    {"[fe80::1%25lo]", ""},
    {"[fe80::1%lo]", ""},
    {"[::1%251]", ""},
    {"256.0.0.1", ""},
    {"1.2.3.4.5", ""},
    {"127.0.0.08", ""},
    {"0x7g.1", ""},
    {"4294967296", ""},
    {"example.0x1f", ""},
    {"example..com", ""},
    {"[127.0.0.1]", ""},
    {"[::1", ""},
    {"a b", ""},
    {"", ""},
};

std::string class_in(const char* host) {
  const auto read = read_url("http://" + std::string(host) + ":8080/x?y=z");
  if (!read) return "";
  if (read->origin.host.address) return std::string(to_string(class_of(*read->origin.host.address)));
  return read->origin.host.is_localhost() ? "loopback" : "name";
}

Reach reach_of(std::initializer_list<std::string_view> rules, std::vector<std::uint16_t> own_ports = {}) {
  std::vector<HostRule> read;
  for (std::string_view rule : rules) {
    auto one = parse_host_rule(rule);
    EXPECT_TRUE(one) << one.error().message();
    if (one) read.push_back(*std::move(one));
  }
  return {std::move(read), std::move(own_ports)};
}

Origin origin_of(const std::string& url) {
  const auto read = read_url(url);
  EXPECT_TRUE(read) << url;
  return read ? read->origin : Origin();
}

TEST(Reach, EverySpellingIsWhatItLeadsTo) {
  const Reach anything_public = reach_of({"*"});
  for (const Spelling& spelling : kSpellings) {
    EXPECT_EQ(class_in(spelling.host), spelling.is) << spelling.host;
    const auto read = read_url("http://" + std::string(spelling.host) + ":8080/x");
    if (!read) continue;
    const std::string_view is = spelling.is;
    EXPECT_EQ(!anything_public.refusal(read->origin), is == "public" || is == "name") << spelling.host;
    EXPECT_TRUE(Reach().refusal(read->origin)) << spelling.host;
    // What is read once more says the same: what goes to the client is what was looked at.
    EXPECT_EQ(read_url(read->url)->origin.host.text, read->origin.host.text) << spelling.host;
  }
}

TEST(Reach, AGrantIsForWhatItNames) {
  const auto allows = [](std::string_view rule, const std::string& url) {
    return !reach_of({rule}).refusal(origin_of(url));
  };
  EXPECT_TRUE(allows("api.example.com", "https://API.example.com./v1"));
  EXPECT_TRUE(allows("api.example.com:8443", "https://api.example.com:8443/v1"));
  EXPECT_FALSE(allows("api.example.com:8443", "https://api.example.com/v1"));
  EXPECT_FALSE(allows("api.example.com", "https://api.example.com.evil.example/v1"));
  EXPECT_FALSE(allows("api.example.com", "https://api.example.com@evil.example/v1"));
  EXPECT_FALSE(allows("example.com", "https://api.example.com/v1"));
  EXPECT_TRUE(allows("*.example.com", "https://api.example.com/v1"));
  EXPECT_FALSE(allows("*.example.com", "https://example.com/v1"));
  EXPECT_FALSE(allows("*.example.com", "https://evilexample.com/v1"));
  EXPECT_TRUE(allows("127.0.0.1:9090", "http://0x7f.1:9090/"));
  EXPECT_TRUE(allows("2130706433", "http://127.0.0.1:1/"));
  EXPECT_TRUE(allows("[::1]:80", "http://[0:0::1]/"));
  EXPECT_FALSE(allows("127.0.0.1", "http://localhost/"));
  EXPECT_TRUE(allows("localhost:11434", "http://localhost:11434/v1"));
  EXPECT_TRUE(allows("*/private", "http://10.1.2.3/"));
  EXPECT_FALSE(allows("*/private", "http://127.0.0.1/"));
  EXPECT_TRUE(allows("169.254.169.254", "http://169.254.169.254/latest"));
  for (const char* wrong : {"", "a b", "host:0", "host:65536", "host:x", "host/near", "*.127.0.0.1", "a/b/c",
                            "[::1", "höst", "fe80::1"}) {
    EXPECT_FALSE(parse_host_rule(wrong)) << wrong;
  }
}

TEST(Reach, TheRefusalNamesTheGrant) {
  const auto grant = [](const std::string& url) { return Reach().refusal(origin_of(url))->grant; };
  EXPECT_EQ(grant("http://127.0.0.1:9090/x"), "host:127.0.0.1:9090");
  EXPECT_EQ(grant("https://api.example.com/v1"), "host:api.example.com");
  EXPECT_EQ(grant("http://api.example.com:8080/v1"), "host:api.example.com:8080");
  EXPECT_EQ(grant("http://LOCALHOST/"), "host:localhost:80");
  for (const char* url : {"http://127.0.0.1:9090/x", "https://api.example.com/v1", "http://[fe80::1]/"}) {
    EXPECT_FALSE(reach_of({std::string_view(grant(url)).substr(5)}).refusal(origin_of(url))) << url;
  }
}

TEST(Reach, ANameIsAllowedOnlyWithAnAddressOfItsClass) {
  const Origin shop = origin_of("http://shop.example:8080/");
  const Reach open = reach_of({"shop.example"});
  EXPECT_FALSE(open.refusal(shop));
  EXPECT_FALSE(open.refusal(shop, *parse_ip("8.8.8.8")));
  for (const char* inside :
       {"10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(open.refusal(shop, *parse_ip(inside))) << inside;
  }
  EXPECT_EQ(open.refusal(shop, *parse_ip("10.0.0.1"))->grant, "host:shop.example:8080/private");
  const Reach inside = reach_of({"shop.example:8080/private"});
  EXPECT_FALSE(inside.refusal(shop, *parse_ip("10.0.0.1")));
  EXPECT_TRUE(inside.refusal(shop, *parse_ip("8.8.8.8")));
}

TEST(Reach, ThePortsOfThisServerAreGrantedByPort) {
  const Origin api = origin_of("http://127.0.0.1:8233/api/v1/info");
  EXPECT_TRUE(reach_of({"127.0.0.1", "*/loopback"}, {8233, 7233}).refusal(api));
  EXPECT_FALSE(reach_of({"127.0.0.1:8233"}, {8233, 7233}).refusal(api));
  EXPECT_FALSE(reach_of({"127.0.0.1"}, {7233}).refusal(api));
}

// ---- over real sockets

class ReachingClient : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = Server::start({.address = "127.0.0.1:0"}, [this](Request request, Responder responder) {
      ++seen_;
      last_ = std::move(request);
      const std::string_view target = last_.query_value("to").value_or("");
      if (target.empty()) return responder.reply({.body = "here"});
      responder.reply({.status = 307, .headers = {{"Location", std::string(target)}}});
    });
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
    port_ = std::to_string(server_->port());
  }

  std::expected<HttpResponse, FetchError> get(const std::string& url,
                                              std::initializer_list<std::string_view> rules) {
    HttpRequest request;
    request.url = url;
    request.follow_redirects = true;
    request.headers = {{"Authorization", "Bearer secret"}, {"X-Api-Key", "secret"}, {"Accept", "text/plain"}};
    request.reach = std::make_shared<const Reach>(reach_of(rules));
    return fetch(*client_, std::move(request));
  }
  HttpFailure failure(const std::string& url, std::initializer_list<std::string_view> rules) {
    const auto response = get(url, rules);
    EXPECT_FALSE(response) << url;
    return response ? HttpFailure::kCancelled : response.error().failure;
  }

  os::ThreadExecutor loop_{"http"};
  std::unique_ptr<HttpClient> client_ = curl_http_client(loop_, Egress::kGranted);
  std::unique_ptr<Server> server_;
  std::string port_;
  std::atomic<int> seen_ = 0;
  Request last_;
};

TEST_F(ReachingClient, NoSpellingOfThisMachineGetsThrough) {
  for (const Spelling& spelling : kSpellings) {
    if (std::string_view(spelling.is) == "public" || std::string_view(spelling.is) == "name") continue;
    const HttpFailure failed = failure("http://" + std::string(spelling.host) + ":" + port_ + "/x", {"*"});
    EXPECT_EQ(failed, *spelling.is == '\0' ? HttpFailure::kBadRequest : HttpFailure::kRefused)
        << spelling.host;
  }
  EXPECT_EQ(seen_, 0);
}

TEST_F(ReachingClient, ARequestWithoutAReachGoesNowhere) {
  HttpRequest request;
  request.url = "http://127.0.0.1:" + port_ + "/x";
  const auto response = fetch(*client_, request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().failure, HttpFailure::kRefused);
  EXPECT_THAT(response.error().message, HasSubstr("--grant host:127.0.0.1:" + port_));
  EXPECT_EQ(seen_, 0);
}

// This machine's own name, where that is a loopback address.
std::optional<IpAddress> address_of(const std::string& name) {
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, nullptr, &found) != 0) return std::nullopt;
  const auto address = ip_of(*found->ai_addr);
  ::freeaddrinfo(found);
  return address;
}

// As with a name that was public when somebody looked and is ours when it is connected to.
TEST_F(ReachingClient, TheAddressIsLookedAtBeforeAnythingIsSent) {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  const auto address = address_of(name);
  if (!address || !address->is_v4() || address->bytes[12] != 127)
    GTEST_SKIP() << name << " is no loopback address";
  auto server = Server::start({.address = address->text() + ":0"}, [](Request, Responder) {});
  ASSERT_TRUE(server) << server.error().to_string();
  const std::string place = std::string(name) + ":" + std::to_string((*server)->port());
  const std::string url = "http://" + place + "/x";
  for (const std::string& rule : {std::string(name), std::string("*"), place + "/private"}) {
    EXPECT_EQ(failure(url, {rule}), HttpFailure::kRefused) << rule;
  }
  EXPECT_THAT(get(url, {"*"}).error().message, HasSubstr("--grant host:" + place + "/loopback"));
  const auto answered = get(url, {place + "/loopback"});
  ASSERT_TRUE(answered) << answered.error().message;
  EXPECT_EQ(answered->head.status, 421);  // our servers know no other name than localhost
  // The connection is there and open, but not for everybody.
  EXPECT_EQ(failure(url, {"*"}), HttpFailure::kRefused);
}

TEST_F(ReachingClient, ARedirectIsARequestOfItsOwn) {
  const std::string here = "http://127.0.0.1:" + port_;
  EXPECT_EQ(get(here + "/?to=/there", {"127.0.0.1"})->body, "here");
  EXPECT_EQ(last_.header("x-api-key"), "secret");  // the same origin
  EXPECT_EQ(get(here + "/?to=http://localhost:" + port_ + "/", {"127.0.0.1", "localhost"})->body, "here");
  EXPECT_EQ(last_.header("authorization"), "");
  EXPECT_EQ(last_.header("x-api-key"), "");
  EXPECT_EQ(last_.header("accept"), "text/plain");
  const int before = seen_;
  for (const std::string& to :
       {"http://localhost:" + port_ + "/", "http://0x7f.2:" + port_ + "/",
        "http://[::ffff:127.0.0.2]:" + port_ + "/", std::string("http://169.254.169.254/")}) {
    EXPECT_EQ(failure(here + "/?to=" + to, {"127.0.0.1"}), HttpFailure::kRefused) << to;
  }
  EXPECT_EQ(seen_, before + 4);  // the first hops alone
  for (const char* to : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://%31%zz/"}) {
    EXPECT_FALSE(get(here + "/?to=" + to, {"127.0.0.1"})) << to;
  }
}

TEST_F(ReachingClient, HeadersThatNameAnotherHostAreNotSent) {
  HttpRequest request;
  request.url = "http://127.0.0.1:" + port_ + "/x";
  request.reach = std::make_shared<const Reach>(reach_of({"127.0.0.1"}));
  for (const char* name : {"Host", "hOsT", "Transfer-Encoding", "Content-Length", "Connection", "Upgrade"}) {
    request.headers = {{name, "x"}};
    EXPECT_EQ(fetch(*client_, request).error().failure, HttpFailure::kBadRequest) << name;
  }
  EXPECT_EQ(seen_, 0);
}

TEST_F(ReachingClient, AProxyOfTheEnvironmentIsNotUsed) {
  ::setenv("http_proxy", ("http://127.0.0.1:" + port_).c_str(), 1);
  EXPECT_EQ(failure("http://127.0.0.1:1/", {"127.0.0.1"}), HttpFailure::kConnection);
  ::unsetenv("http_proxy");
  EXPECT_EQ(seen_, 0);
}

}  // namespace
}  // namespace holdfast::net
