// Goal: numbers compare by their value, whatever types hold them. Method: every pair of a sorted list.

#include "spec/exact.h"

#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace holdfast::spec {
namespace {

using Json = nlohmann::json;

TEST(Exact, NumbersAreOrderedByValue) {
  const std::vector<Json> sorted = {-1e300,
                                    -9223372036854777856.0,
                                    std::numeric_limits<std::int64_t>::min(),
                                    -1.5,
                                    -1,
                                    -0.5,
                                    0u,
                                    0.5,
                                    1,
                                    9007199254740992.0,
                                    9007199254740993,
                                    9223372036854775807,
                                    9223372036854775808u,
                                    18446744073709551615u,
                                    18446744073709551616.0,
                                    1e300};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      EXPECT_EQ(compare_numbers(sorted[i], sorted[j]), static_cast<std::partial_ordering>(i <=> j))
          << sorted[i] << " and " << sorted[j];
    }
  }
}

TEST(Exact, ValuesAreTheSameWhateverTheirTypes) {
  EXPECT_TRUE(same_value({{"a", {1, 2.0}}, {"b", nullptr}}, {{"b", nullptr}, {"a", {1u, 2}}}));
  EXPECT_FALSE(same_value({{"a", 1}}, {{"b", 1}}));
  EXPECT_FALSE(same_value({{"a", 1}}, {{"a", 1}, {"b", 1}}));
  EXPECT_FALSE(same_value({1, 2}, {2, 1}));
  EXPECT_FALSE(same_value(18446744073709551615u, -1));
  EXPECT_FALSE(same_value("1", 1));
  EXPECT_FALSE(same_value(1, true));
}

}  // namespace
}  // namespace holdfast::spec
