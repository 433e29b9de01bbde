#pragma once

// The rules of the store: what a call makes of the rows that are there. A store reads rows, asks a rule, and
// writes what it says in the same transaction; it decides nothing itself, so that every database answers
// alike. One file of rules per subject: conversation_rules.h, step_rules.h, approval_rules.h, run_rules.h,
// stream_rules.h, budget_rules.h.
//
// Pure: time and randomness are arguments. Failures are those that store.h promises.

#include <cstdint>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::platform::rules {

enum class Write : std::uint8_t { kNothing, kInsert, kUpdate };

// The row as it is after the call, which is what the caller gets, and how to make it so.
template <typename Row>
struct Change {
  Row row;
  Write write = Write::kNothing;
};

// INVALID_ARGUMENT when `text` is empty or too long for a name.
Status check_name(std::string_view what, std::string_view text);
// INVALID_ARGUMENT when `text` is larger than kMaxMessageBytes.
Status check_body(std::string_view what, std::string_view text);
// Rows of one page: `limit` as asked for, at most kMaxPage, which is also what 0 means.
std::uint32_t page_size(std::uint32_t limit);

}  // namespace holdfast::platform::rules
