#pragma once

// Price: what the tokens of one model cost, and what a call comes to. Prices are nano-dollars per million
// tokens, costs nano-dollars: whole numbers of 64 bits, rounded up once per call and never down. A cost that
// does not fit is none.
//
// Values and pure functions; any thread.

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::price {

// Prices beyond it are refused, so that a million tokens fit whatever they cost.
inline constexpr std::int64_t kMaxPrice = 9'000'000'000'000;  // 9,000 dollars per million tokens

struct Rates {
  std::int64_t input = 0;
  std::int64_t cached_input = 0;
  std::int64_t cache_write = 0;
  std::int64_t output = 0;
  std::int64_t reasoning = 0;
};

struct Price {
  Price() = default;
  Rates rates;
  // Of a call whose input is longer than `long_above` tokens; none: there is no other price.
  std::optional<Rates> long_rates;
  std::int64_t long_above = 0;
  std::string as_of;  // YYYY-MM-DD
};

// Cached and written tokens are part of the input, reasoning is part of the output. Negative counts, and
// parts larger than their whole, count as nothing and as the whole.
struct Counts {
  Counts() = default;
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cached_input = 0;
  std::int64_t cache_write = 0;
  std::int64_t reasoning = 0;
};

std::optional<std::int64_t> cost_of(const Price& price, const Counts& counts);
// The most that a call with at most so many tokens may cost, however they are counted.
std::optional<std::int64_t> worst_cost(const Price& price, std::int64_t input, std::int64_t output);

}  // namespace holdfast::price
