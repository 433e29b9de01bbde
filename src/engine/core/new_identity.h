#pragma once

// A store that was copied from another one becomes a store of its own, before its first open: what leaves it
// and what left the other are never taken for one another (docs/adr/0035). Its runs, namespaces and request
// ids stay; cluster id and the key of its task tokens are new, and workers that hold tasks hold the other's.
//
// Nobody else may have the store open. kDataLoss: its meta row cannot be read.

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::engine {

Status give_new_identity(store::KvStore& store, const Clock& clock, Random& random);

}  // namespace holdfast::engine
