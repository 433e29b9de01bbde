// The event stream is the same whatever pieces it arrives in: each case is fed whole and one byte at a time.

#include <gmock/gmock.h>

#include "net/sse_parser.h"
#include "net/sse_writer.h"

namespace holdfast::net {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> parse(std::string_view bytes, std::size_t piece) {
  std::vector<std::string> out;
  SseParser parser;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    EXPECT_TRUE(
        parser
            .feed(part,
                  [&](SseEvent event) { out.push_back(event.event + "|" + event.data + "|" + event.id); })
            .ok());
  }
  return out;
}

class Pieces : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Pieces, FieldsLinesAndComments) {
  EXPECT_THAT(
      parse("\xEF\xBB\xBF: hello\nevent: a\nid: 1\ndata: x\ndata:y\n\n\ndata\n\nretry: 5\nunknown: z\n\n",
            GetParam()),
      ElementsAre("a|x\ny|1", "message||1"));
}

TEST_P(Pieces, EveryLineEnding) {
  EXPECT_THAT(parse("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\n\n", GetParam()),
              ElementsAre("message|a|", "message|b|", "message|c|", "message|d|"));
}

TEST_P(Pieces, CharactersOfSeveralBytes) {
  EXPECT_THAT(parse("data: \xE2\x82\xAC\xF0\x9F\x99\x82\n\n", GetParam()),
              ElementsAre("message|\xE2\x82\xAC\xF0\x9F\x99\x82|"));
}

TEST_P(Pieces, AnOpenFrameIsNoEvent) {
  EXPECT_THAT(parse("data: a\n\ndata: half", GetParam()), ElementsAre("message|a|"));
  EXPECT_THAT(parse("data: a\n\ndata: b\n", GetParam()), ElementsAre("message|a|"));
}

INSTANTIATE_TEST_SUITE_P(Sse, Pieces, ::testing::Values(1, 2, 3, 7, 100000));

TEST(SseParser, RefusesAnEventBeyondItsLimit) {
  SseParser parser(16);
  const auto ignore = [](SseEvent) {};
  EXPECT_TRUE(parser.feed("data: 12345\n\n", ignore).ok());
  EXPECT_EQ(parser.feed("data: 1234567890123", ignore).code(), Code::kResourceExhausted);
  EXPECT_FALSE(parser.feed("\n\n", ignore).ok());
}

TEST(SseParser, KnowsWhereToGoOn) {
  SseParser parser;
  const auto ignore = [](SseEvent) {};
  EXPECT_EQ(parser.retry(), std::nullopt);
  EXPECT_TRUE(parser.feed("id: 7\nretry: 500\n\nretry: soon\ndata: x\n\n", ignore).ok());
  EXPECT_EQ(parser.last_id(), "7") << "of an event without data, too";
  EXPECT_EQ(parser.retry(), std::chrono::milliseconds(500));
}

TEST_P(Pieces, WhatIsWrittenIsRead) {
  std::string stream;
  append_sse_event(stream, "7", "step", "two\nlines");
  append_sse_event(stream, "", "", R"({"a":1})");
  stream += sse_event("end", "");
  EXPECT_EQ(stream,
            "id: 7\nevent: step\ndata: two\ndata: lines\n\ndata: {\"a\":1}\n\nevent: end\ndata: \n\n");
  EXPECT_THAT(parse(stream, GetParam()), ElementsAre("step|two\nlines|7", R"(message|{"a":1}|7)", "end||7"));
}

}  // namespace
}  // namespace holdfast::net
