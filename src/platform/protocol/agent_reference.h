#pragma once

// How somebody names a version of an agent: "refund" (the current one), "refund@production" (the one that a
// label names), "refund@3fa9c1" (a hash, or what it begins with). A label is never only hex digits, so that
// the two cannot be taken for each other. Pure; any thread.

#include <cstddef>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::protocol {

inline constexpr std::size_t kMaxLabelBytes = 63;
inline constexpr std::size_t kMinVersionDigits = 6;
inline constexpr std::size_t kVersionDigits = 64;  // of a whole one

struct AgentReference {
  AgentReference() = default;
  std::string agent;
  std::string version;  // a label, or the beginning of a hash; empty: the current version
};

// Lower-case letters, digits and `-`, at least one of them no hex digit.
bool is_label(std::string_view text);
// 6 to 64 lower-case hex digits.
bool is_version_beginning(std::string_view text);

// "refund@production" in its parts. INVALID_ARGUMENT when what stands behind the @ can be neither a label nor
// a version.
Result<AgentReference> parse_agent_reference(std::string_view text);

}  // namespace holdfast::protocol
