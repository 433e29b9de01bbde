#pragma once

// What search attributes executions of a namespace may have: those that every namespace has, and those that
// its registry names, each with values of its type and within the limits. One rule for every way in: starts,
// commands, upserts. Words are Temporal's. Pure functions.

#include <optional>

#include "api/messages.h"
#include "history/commands.h"
#include "history/limits.h"
#include "history/stored.h"
#include "holdfast/status.h"

namespace holdfast::engine {

// Nothing: they may be set, and each payload now says the type that it has.
std::optional<history::BadSearchAttributes> bad_search_attributes(
    const history::stored::NamespaceRecord& record, const history::Limits& limits,
    pb::common::v1::SearchAttributes* attributes);

// The same as the answer to a request.
Status check_search_attributes(const history::stored::NamespaceRecord& record, const history::Limits& limits,
                               pb::common::v1::SearchAttributes* attributes);

}  // namespace holdfast::engine
