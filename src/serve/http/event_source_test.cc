// The ids of events on a stream of several logs lead back to where the reader was.

#include "http/event_source.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "http/json_reply.h"

namespace holdfast::http {
namespace {

TEST(EventIds, LeadBackToTheirPlace) {
  const runs::RunWatch::Place place = {{"$runs", "5f3c-1"}, {"order \"1042\"", ""}};
  const std::string id = join_cursors(place);
  EXPECT_EQ(id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_EQ(split_cursors(id), place);
}

TEST(EventIds, OthersAreNone) {
  EXPECT_FALSE(split_cursors(""));
  EXPECT_FALSE(split_cursors("5f3c9a01-17"));
  EXPECT_FALSE(split_cursors("!!"));
  EXPECT_FALSE(split_cursors(base64url("[1]")));
}

TEST(EventJson, DataGoesOutAsItIs) {
  platform::Event event;
  event.run = "r";
  event.seq = 3;
  event.type = "delta";
  event.data = R"({"text":"\u00e9"})";
  EXPECT_EQ(event_json(event),
            R"({"run":"r","seq":3,"type":"delta","at":"1970-01-01T00:00:00.000Z","data":{"text":"\u00e9"}})");
}

}  // namespace
}  // namespace holdfast::http
