#pragma once

// What the operator grants, in the record: when a server starts with other grants than the last time, what
// was added and what was removed. Nothing else remembers them: they are the command line's.

#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::app {

inline constexpr std::string_view kOperatorGrantsChanged = "grant.operator_changed";
inline constexpr std::string_view kOperatorSubject = "operator";

// Each once.
std::vector<std::string> sorted_grants(std::vector<std::string> grants);
// `now`: sorted. Writes nothing when they are as they were.
Status record_operator_grants(platform::Store& store, const std::vector<std::string>& now);

}  // namespace holdfast::app
