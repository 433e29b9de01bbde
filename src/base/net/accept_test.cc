// What a client wants to read: the table of headers that clients send, and of those that nobody should.

#include "net/accept.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

TEST(Accept, TheNarrowestRangeCounts) {
  struct Row {
    const char* accept;
    double json;
    double stream;
  };
  for (const Row& row : {Row{"", 1, 1},
                         {" , ", 1, 1},
                         {"*/*", 1, 1},
                         {"application/json", 1, 0},
                         {"Application/JSON ; Q=0.5, TEXT/Event-Stream", 0.5, 1},
                         {"text/*;q=0.3, */*;q=0.1", 0.1, 0.3},
                         {"text/*, text/event-stream;q=0", 0, 0},
                         {"*/*, application/json;q=0.2", 0.2, 1},
                         {"text/event-stream-2, application/jsonx", 0, 0},
                         {"application/json;profile=\"a\";q=0.7", 0.7, 0},
                         {"application/json;q=x, text/event-stream;q=7", 0, 0},
                         {"text/html,application/xhtml+xml,*/*;q=0.8", 0.8, 0.8}}) {
    EXPECT_DOUBLE_EQ(wanted(row.accept, "application/json").weight, row.json) << row.accept;
    EXPECT_DOUBLE_EQ(wanted(row.accept, "text/event-stream").weight, row.stream) << row.accept;
  }
}

TEST(Accept, AStreamIsForWhoNamesIt) {
  for (const char* accept : {"text/event-stream", "Text/Event-Stream", "application/json, text/event-stream",
                             "text/event-stream;charset=utf-8", "text/event-stream, */*;q=0.1",
                             "application/json;q=0.5,text/event-stream;q=0.6"})
    EXPECT_TRUE(wants_event_stream(accept)) << accept;
  for (const char* accept :
       {"", "*/*", "text/*", "application/json", "text/event-stream;q=0", "text/event-streams",
        "text/event-stream;q=0.5, application/json", "application/json;x=\"text/event-stream\""})
    EXPECT_FALSE(wants_event_stream(accept)) << accept;
  EXPECT_TRUE(names_event_stream("text/event-stream;q=0.5, application/json"));
  EXPECT_FALSE(names_event_stream("*/*, text/event-stream;q=0"));
}

}  // namespace
}  // namespace holdfast::net
