#include "engine/new_identity.h"

#include "engine/core_clock.h"
#include "engine/new_ids.h"
#include "history/stored.h"
#include "store/keys.h"

namespace holdfast::engine {

Status give_new_identity(store::KvStore& store, const Clock& clock, Random& random) {
  const auto row = store.get(store::keys::store_meta());
  if (!row) return row.error();
  if (!*row) return {};  // never opened by an engine: there is nothing to tell apart
  history::stored::StoreMeta meta;
  if (!meta.ParseFromString(**row)) return {Code::kDataLoss, "The store's meta row cannot be read."};
  CoreClock now(clock);
  now.advance();
  NewIds ids(random, now);
  meta.set_cluster_id(ids.next());
  // When the first key was made stays: it says until when tokens were not signed.
  if (!meta.token_key().empty()) meta.set_token_key(ids.secret());
  meta.set_copied(true);
  store::WriteBatch batch;
  batch.put(store::keys::store_meta(), history::serialize(meta));
  return store.commit(batch);
}

}  // namespace holdfast::engine
