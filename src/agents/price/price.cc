#include "price/price.h"

#include <algorithm>
#include <array>

#include "base/money.h"

namespace holdfast::price {

namespace {

constexpr std::int64_t kPerTokens = 1'000'000;

// A sum of tokens times price, exact until it is asked for.
class Sum {
 public:
  void add(std::int64_t tokens, std::int64_t rate) {
    const auto millions = checked_multiply(tokens / kPerTokens, rate);
    // Below 10^6 times kMaxPrice, which fits.
    const std::int64_t rest = tokens % kPerTokens * rate;
    const auto whole = millions ? checked_add(*millions, rest / kPerTokens) : std::nullopt;
    const auto sum = whole && nanos_ ? checked_add(*nanos_, *whole) : std::nullopt;
    nanos_ = sum;
    millionths_ += rest % kPerTokens;
  }
  std::optional<std::int64_t> rounded_up() const {
    return nanos_ ? checked_add(*nanos_, (millionths_ + kPerTokens - 1) / kPerTokens) : std::nullopt;
  }

 private:
  std::optional<std::int64_t> nanos_ = 0;
  std::int64_t millionths_ = 0;
};

}  // namespace

std::optional<std::int64_t> cost_of(const Price& price, const Counts& counts) {
  const std::int64_t input = std::max<std::int64_t>(0, counts.input);
  const std::int64_t output = std::max<std::int64_t>(0, counts.output);
  const std::int64_t cached = std::clamp<std::int64_t>(counts.cached_input, 0, input);
  const std::int64_t written = std::clamp<std::int64_t>(counts.cache_write, 0, input - cached);
  const std::int64_t thought = std::clamp<std::int64_t>(counts.reasoning, 0, output);
  const Rates& rates = price.long_rates && input > price.long_above ? *price.long_rates : price.rates;
  Sum sum;
  sum.add(input - cached - written, rates.input);
  sum.add(cached, rates.cached_input);
  sum.add(written, rates.cache_write);
  sum.add(output - thought, rates.output);
  sum.add(thought, rates.reasoning);
  return sum.rounded_up();
}

std::optional<std::int64_t> worst_cost(const Price& price, std::int64_t input, std::int64_t output) {
  std::int64_t in_rate = 0;
  std::int64_t out_rate = 0;
  for (const Rates* rates :
       {&price.rates, price.long_rates && input > price.long_above ? &*price.long_rates : nullptr}) {
    if (rates == nullptr) continue;
    in_rate = std::max({in_rate, rates->input, rates->cached_input, rates->cache_write});
    out_rate = std::max({out_rate, rates->output, rates->reasoning});
  }
  Sum sum;
  sum.add(std::max<std::int64_t>(0, input), in_rate);
  sum.add(std::max<std::int64_t>(0, output), out_rate);
  return sum.rounded_up();
}

}  // namespace holdfast::price
