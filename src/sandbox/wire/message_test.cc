// Goal: what the server and the sandbox say survives the way, and bytes of an enemy are an error, never a
// crash. Method: encode and decode, cut at every byte, change every byte.

#include "wire/message.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/frame.h"

namespace holdfast::sandbox {
namespace {

Reply failed() {
  Reply reply;
  reply.failure = Failure{Fault::kThrown, "TypeError", "x is no function", 3, 14};
  reply.log = "one\ntwo\n";
  reply.log_left_out = 7;
  reply.last = true;
  return reply;
}

TEST(Message, ARequestSurvives) {
  Request request{Kind::kScript, true, {}, "return 1", R"({"a":1})"};
  request.limits.time_ms = 70;
  const auto read = decode_request(encode(request));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->kind, Kind::kScript);
  EXPECT_TRUE(read->decimals_as_text);
  EXPECT_EQ(read->limits.time_ms, 70U);
  EXPECT_EQ(read->code, "return 1");
  EXPECT_EQ(read->inputs, R"({"a":1})");
}

TEST(Message, AReplySurvives) {
  const auto read = decode_reply(encode(failed()));
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_TRUE(read->failure);
  EXPECT_EQ(read->failure->name, "TypeError");
  EXPECT_EQ(read->failure->message, "x is no function");
  EXPECT_EQ(read->failure->line, 3U);
  EXPECT_EQ(read->failure->column, 14U);
  EXPECT_EQ(read->log, "one\ntwo\n");
  EXPECT_EQ(read->log_left_out, 7U);
  EXPECT_TRUE(read->last);
}

TEST(Message, CutAnywhereItIsAnError) {
  const std::string reply = encode(failed());
  for (std::size_t i = 0; i < reply.size(); ++i) EXPECT_FALSE(decode_reply(reply.substr(0, i))) << i;
  const std::string request = encode(Request{});
  for (std::size_t i = 0; i < request.size(); ++i) EXPECT_FALSE(decode_request(request.substr(0, i))) << i;
  EXPECT_FALSE(decode_reply(reply + "x"));
}

TEST(Message, AnyByteMayBeAnyOther) {
  const std::string reply = encode(failed());
  for (std::size_t i = 0; i < reply.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = reply;
      changed[i] = static_cast<char>(byte);
      (void)decode_reply(changed);
    }
  }
}

// That it was ended is for the broker to say.
TEST(Message, AProcessDoesNotSayThatItDied) {
  Reply reply = failed();
  reply.failure->fault = Fault::kDied;
  EXPECT_FALSE(decode_reply(encode(reply)));
}

TEST(Message, LimitsHaveALeastAndAMost) {
  Request request;
  request.limits.memory_bytes = kMostMemoryBytes + 1;
  EXPECT_EQ(check_request(request).message(), "memory_bytes is 134217729; it may be 1048576 to 134217728");
  request.limits = {};
  request.limits.time_ms = 0;
  EXPECT_EQ(check_request(request).code(), Code::kInvalidArgument);
  request.limits = {};
  request.code.assign(kMostCodeBytes + 1, ' ');
  EXPECT_EQ(check_request(request).code(), Code::kInvalidArgument);
}

TEST(Frame, GoesThroughASocketInPieces) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_TRUE(write_frame(ends[0], "hello"));
  EXPECT_TRUE(write_frame(ends[0], ""));
  std::string read;
  EXPECT_TRUE(read_frame(ends[1], read));
  EXPECT_EQ(read, "hello");
  EXPECT_TRUE(read_frame(ends[1], read));
  EXPECT_EQ(read, "");
  ASSERT_EQ(::write(ends[0], "\xff\xff\xff\xff", 4), 4);
  EXPECT_FALSE(read_frame(ends[1], read)) << "four gigabytes are no frame";
  ::close(ends[0]);
  EXPECT_FALSE(read_frame(ends[1], read));
  ::close(ends[1]);
}

}  // namespace
}  // namespace holdfast::sandbox
