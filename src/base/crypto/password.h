#pragma once

// Passwords of people as argon2id (RFC 9106), in its encoded form, which carries salt and costs: those of new
// ones may grow without the old ones being lost. A check takes tens of milliseconds and kPasswordMemory
// bytes, on purpose: callers bound how many run at a time. Thread-safe.

#include <cstddef>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast::crypto {

inline constexpr std::size_t kPasswordMemory = 19 << 20;  // OWASP's second choice: 19 MiB, two passes

std::string hash_password(std::string_view password, Random& random);
// False, too, for what is no hash of ours.
bool password_matches(std::string_view encoded, std::string_view password);

}  // namespace holdfast::crypto
