// Goal: what a call costs is exact, rounded up once, and never more than its worst case. Method: known prices
// and counts, and counts of every odd kind.

#include "price/price.h"

#include <gtest/gtest.h>

#include <limits>

namespace holdfast::price {
namespace {

Price gpt() {
  Price price;
  price.rates = {.input = 2'500'000'000,
                 .cached_input = 1'250'000'000,
                 .cache_write = 2'500'000'000,
                 .output = 10'000'000'000,
                 .reasoning = 10'000'000'000};
  return price;
}

Counts counts(std::int64_t input, std::int64_t output, std::int64_t cached = 0, std::int64_t written = 0,
              std::int64_t reasoning = 0) {
  Counts out;
  out.input = input;
  out.output = output;
  out.cached_input = cached;
  out.cache_write = written;
  out.reasoning = reasoning;
  return out;
}

TEST(Price, ACallCostsWhatItsTokensCost) {
  EXPECT_EQ(cost_of(gpt(), counts(1'000'000, 0)), 2'500'000'000);
  EXPECT_EQ(cost_of(gpt(), counts(1'000, 100)), 2'500'000 + 1'000'000);
  EXPECT_EQ(cost_of(gpt(), counts(1'000, 0, 400)), 600 * 2'500 + 400 * 1'250);
  EXPECT_EQ(cost_of(gpt(), counts(0, 0)), 0);
}

TEST(Price, PartsOfANanoDollarAreRoundedUpOnce) {
  Price price;
  price.rates = {.input = 37'500'000,
                 .cached_input = 37'500'000,
                 .cache_write = 37'500'000,
                 .output = 150'000'000,
                 .reasoning = 150'000'000};
  EXPECT_EQ(cost_of(price, counts(1, 0)), 38);
  EXPECT_EQ(cost_of(price, counts(2, 0)), 75);
  EXPECT_EQ(cost_of(price, counts(2, 0, 1)), 75) << "two halves are one, not two";
  price.rates.input = 1;
  EXPECT_EQ(cost_of(price, counts(1, 0)), 1) << "never nothing";
}

TEST(Price, LongPromptsHaveTheirOwnPrice) {
  Price price = gpt();
  price.long_rates = Rates{.input = 5'000'000'000,
                           .cached_input = 0,
                           .cache_write = 0,
                           .output = 15'000'000'000,
                           .reasoning = 15'000'000'000};
  price.long_above = 200'000;
  EXPECT_EQ(cost_of(price, counts(200'000, 1)), 200'000 * 2'500 + 10'000);
  EXPECT_EQ(cost_of(price, counts(200'001, 1)), 200'001LL * 5'000 + 15'000);
}

TEST(Price, NothingCostsMoreThanItsWorstCase) {
  Price price = gpt();
  price.rates.cache_write = 3'125'000'000;
  price.long_rates = price.rates;
  price.long_rates->output = 15'000'000'000;
  price.long_above = 100;
  for (const std::int64_t input : {0, 1, 99, 100, 101, 12'345}) {
    for (const std::int64_t cached : {std::int64_t{0}, input / 3, input}) {
      for (const std::int64_t written : {std::int64_t{0}, input / 2, input}) {
        EXPECT_LE(*cost_of(price, counts(input, 77, cached, written, 50)), *worst_cost(price, input, 77));
        EXPECT_LE(*cost_of(price, counts(input / 2, 7, cached, written, 50)), *worst_cost(price, input, 77));
      }
    }
  }
}

TEST(Price, OddCountsAreNoMoneyBack) {
  EXPECT_EQ(cost_of(gpt(), counts(-5, -7)), 0);
  EXPECT_EQ(cost_of(gpt(), counts(10, 10, 1'000, 1'000, 1'000)), 10 * 1'250 + 10 * 10'000);
  EXPECT_EQ(cost_of(gpt(), counts(10, 0, -4)), 10 * 2'500);
  Price dear = gpt();
  dear.rates.input = kMaxPrice;
  EXPECT_EQ(cost_of(dear, counts(std::numeric_limits<std::int64_t>::max(), 0)), std::nullopt);
  EXPECT_EQ(cost_of(dear, counts(1'000'000'000, 0)), 9'000'000'000'000'000);
}

}  // namespace
}  // namespace holdfast::price
