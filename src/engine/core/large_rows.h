#pragma once

// LargeRows: which runs have which large payloads in their histories. Whatever goes into a batch is looked
// through for places of such payloads (history/payload_slot.h); a run that has one owns it from that batch
// on, with others if it was passed on (to a child, to the next run of a chain). With the last run that has
// it, its pieces go. The core owns it; its thread only. Who writes the pieces: large_stager.h.

#include <string>
#include <vector>

#include "engine/rows.h"
#include "engine/run_key.h"
#include "history/payload_slot.h"
#include "history/stored.h"
#include "store/keys.h"

namespace holdfast::engine {

class LargeRows {
 public:
  LargeRows(Rows& rows, const history::stored::StoreMeta& meta) : rows_(rows), meta_(meta) {}

  // There are such payloads from now on; there were none before.
  void expect() { expected_ = true; }
  bool expected() const { return expected_ || !meta_.slot_key().empty(); }
  // What the places are signed with.
  static std::string key_of(const history::stored::StoreMeta& meta);

  // What is about to be committed. Adds rows to it.
  void note(RowChanges* changes);
  // The run is no more.
  void release(const RunKey& run, const std::vector<store::keys::LargeId>& had);

 private:
  void own(const store::keys::ExecutionRow& run, const history::PayloadSlot& slot, RowChanges* changes);

  Rows& rows_;
  const history::stored::StoreMeta& meta_;
  bool expected_ = false;
};

}  // namespace holdfast::engine
