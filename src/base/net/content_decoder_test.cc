// Goal: a packed body is unpacked whole or is an error; never a part of it as if it were all. Method: every
// way to pack, in pieces of every size, and every place at which it can be cut.

#include "net/content_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/fetch.h"
#include "net/server.h"
#include "os/thread_executor.h"

namespace holdfast::net {
namespace {

using ::testing::HasSubstr;

constexpr int kGzip = 15 + 16;
constexpr int kZlib = 15;
constexpr int kBare = -15;

std::string packed(std::string text, int frame) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, frame, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string lines(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "line " + std::to_string(i * 7919) + "\n";
  return out;
}

// The text, or "error: ...".
std::string read(std::string_view coding, std::string_view body, std::size_t step) {
  auto decoder = ContentDecoder::of(coding);
  if (!decoder) return "error: " + decoder.error();
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += step) {
    const bool more = (*decoder)->add(body.substr(at, step), [&](std::string_view piece) {
      EXPECT_LE(piece.size(), 64U << 10);
      out += piece;
      return true;
    });
    if (!more) return "error: " + (*decoder)->defect();
  }
  const std::string defect = (*decoder)->defect_at_end();
  return defect.empty() ? out : "error: " + defect;
}

TEST(ContentDecoder, EveryWayToPackInPiecesOfEverySize) {
  const std::string text = lines(500);
  for (const std::size_t step : {1, 2, 3, 100, 1 << 20}) {
    EXPECT_EQ(read("gzip", packed(text, kGzip), step), text);
    EXPECT_EQ(read("X-GZip", packed(text, kGzip), step), text);
    EXPECT_EQ(read("deflate", packed(text, kZlib), step), text);
    EXPECT_EQ(read("deflate", packed(text, kBare), step), text);
    EXPECT_EQ(read("gzip", packed("one ", kGzip) + packed("two", kGzip), step), "one two");
  }
  EXPECT_EQ(read("gzip", packed(std::string(5 << 20, 'x'), kGzip), 1 << 20).size(), 5U << 20);
  EXPECT_EQ(read("gzip", "", 1), "");
  EXPECT_EQ(*ContentDecoder::of(""), nullptr);
  EXPECT_EQ(*ContentDecoder::of("identity"), nullptr);
}

TEST(ContentDecoder, WhatIsCutOffIsAnErrorWhereverItIsCut) {
  for (const auto& [coding, frame] :
       {std::pair("gzip", kGzip), std::pair("deflate", kZlib), std::pair("deflate", kBare)}) {
    const std::string body = packed(lines(50), frame);
    for (std::size_t bytes = 1; bytes < body.size(); ++bytes)
      EXPECT_THAT(read(coding, body.substr(0, bytes), 1 << 20), HasSubstr("is cut off")) << coding << bytes;
  }
}

TEST(ContentDecoder, WhatIsNotPackedSoIsAnError) {
  EXPECT_THAT(read("gzip", "plain text", 4), HasSubstr("cannot be unpacked"));
  EXPECT_THAT(read("deflate", packed("a", kZlib) + "more", 1 << 20), HasSubstr("goes on behind its end"));
  EXPECT_THAT(read("gzip", packed("a", kGzip) + "more", 1 << 20), HasSubstr("cannot be unpacked"));
  EXPECT_THAT(read("br", "x", 1), HasSubstr("packed its body with br"));
  EXPECT_THAT(read("gzip, gzip", "x", 1), HasSubstr("was not asked for"));
}

// Through the client, over a socket.
TEST(ContentDecoder, AResponseThatIsCutWithinItsPackedBytesIsNotWhole) {
  std::string body;
  auto server = Server::start({.address = "127.0.0.1:0"}, [&body](Request request, Responder responder) {
    EXPECT_EQ(request.header("accept-encoding"), "identity");
    responder.reply({.content_type = "text/plain", .body = body, .headers = {{"Content-Encoding", "gzip"}}});
  });
  ASSERT_TRUE(server) << server.error().to_string();
  os::ThreadExecutor loop("http");
  const auto client = curl_http_client(loop, Egress::kAnywhere);
  HttpRequest request;
  request.url = "http://" + (*server)->address() + "/";
  const std::string text = lines(3000);
  const std::string whole = packed(text, kGzip);
  body = whole;
  const auto response = fetch(*client, request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, text);

  body = whole.substr(0, whole.size() / 2);
  const auto half = fetch(*client, request);
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().failure, HttpFailure::kConnection);
  EXPECT_EQ(half.error().received.head.status, 200);
  EXPECT_THAT(half.error().message, HasSubstr("packed with gzip, and is cut off"));

  body = packed(std::string(10 << 20, 'x'), kGzip);
  request.max_response_bytes = 1 << 20;
  EXPECT_EQ(fetch(*client, request).error().failure, HttpFailure::kTooLarge);
}

}  // namespace
}  // namespace holdfast::net
