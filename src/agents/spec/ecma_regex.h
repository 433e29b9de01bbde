#pragma once

// `pattern` of JSON Schema: a regular expression as ECMA-262 writes it, read into RE2, which takes time
// linear in the text whatever the pattern. What RE2 does not have (looking around, going back to a group), or
// would read in another way, is refused. Thread-safe.

#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::spec {

inline constexpr std::size_t kMaxPatternBytes = 4096;

// INVALID_ARGUMENT says what is wrong with the pattern, or not supported.
Status check_pattern(std::string_view pattern);
// Whether it is found anywhere in the text. False for a pattern that check_pattern refuses.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace holdfast::spec
