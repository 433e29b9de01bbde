#pragma once

// Calls of tools that change nothing: an activity of their own kind, because an engine in the same process
// may hand it over before its schedule is on the disk (docs/adr/0063). The name stands in histories.

namespace holdfast::protocol {

inline constexpr const char* kPureToolActivity = "agent.tool.pure";
// Member of PlannedCall::input, true: the call is such a one.
inline constexpr const char* kPureCall = "pure";

}  // namespace holdfast::protocol
