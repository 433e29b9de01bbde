#pragma once

// Money as whole nano-dollars in 64 bits: exact, and never floating point. 9.2 billion dollars are the most
// that there is; what goes beyond says so, or saturates where it only adds up.
//
// Pure functions; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast {

inline constexpr std::int64_t kNanosPerDollar = 1'000'000'000;

// "2.50", "0.000000001": dollars and at most nine decimals, neither sign nor exponent. INVALID_ARGUMENT says
// what is wrong.
Result<std::int64_t> parse_nano_dollars(std::string_view text);
// "2.50 USD", with one blank; no other currency is known.
Result<std::int64_t> parse_usd(std::string_view text);
// The shortest text that says it exactly, with cents at least: "2.50", "0.000000001", "-1.00".
std::string format_dollars(std::int64_t nanos);

// None: it does not fit.
std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b);
// The nearest that fits.
std::int64_t saturating_add(std::int64_t a, std::int64_t b);

}  // namespace holdfast
