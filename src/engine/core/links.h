#pragma once

// Links of a request to what it is about elsewhere; they stand at the event that the request makes. Pure.

#include "history/stored.h"
#include "holdfast/status.h"

namespace holdfast::engine {

// INVALID_ARGUMENT in Temporal's words, with its limits: how many, how large, and what each has to name.
Status check_links(const history::Links& links);

}  // namespace holdfast::engine
