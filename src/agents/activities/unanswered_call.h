#pragma once

// What a run that takes up another one is told of a call that was asked about and has no result. Pure.

#include <optional>
#include <string>

#include "base/json.h"
#include "platform/records.h"

namespace holdfast::agent {

// None: it may have been made. A call is made only behind the decision, which stands in the index before: one
// that waited for it until the run ended was not.
std::optional<std::string> why_not_made(const platform::Approval& asked);

// The arguments that a person gave it, as they are part of its key; none: they are no object, or say another
// value than is bound.
std::optional<std::string> edited_canonical(const platform::Approval& asked, const nlohmann::json& bound);

}  // namespace holdfast::agent
