#pragma once

// Who decides an approval, how many have to, who has, and who else may by now: what stands beside its row.

#include "holdfast/status.h"
#include "http/json_reply.h"
#include "platform/store.h"

namespace holdfast::http {

// Into the JSON of the approval. One that the first word of anybody decides gets nothing.
Status add_terms(platform::Store& store, const platform::Approval& approval, Json& out);
// The same in two parts, for who looks at many: what stands of it, {} where nothing does, and the votes.
Result<Json> terms_json(platform::Store& store, const platform::Approval& approval);
Status add_votes(platform::Store& store, const platform::Approval& approval, Json& terms);

}  // namespace holdfast::http
