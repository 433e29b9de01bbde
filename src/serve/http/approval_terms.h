#pragma once

// Who decides an approval, how many have to, who has, and who else may by now: what stands beside its row.

#include "holdfast/status.h"
#include "http/json_reply.h"
#include "platform/store.h"

namespace holdfast::http {

// Into the JSON of the approval. One that the first word of anybody decides gets nothing.
Status add_terms(platform::Store& store, const platform::Approval& approval, Json& out);

}  // namespace holdfast::http
