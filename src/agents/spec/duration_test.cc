// Goal: a duration is read as it is written, and what is none is refused. Method: a table.

#include <string_view>

#include <gtest/gtest.h>

#include "spec/duration.h"

namespace holdfast::spec {
namespace {

TEST(Duration, ReadsWhatItWrote) {
  for (std::string_view text : {"250ms", "30s", "5m", "1h30m", "7d", "1d2h3m4s5ms", "0s"}) {
    auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(format_duration(*duration), text);
  }
  for (std::string_view text :
       {"", "5", "s", "-5s", "5 s", "1.5h", "99999999999999999999s", "9999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace holdfast::spec
