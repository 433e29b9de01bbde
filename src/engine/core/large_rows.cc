#include "engine/large_rows.h"

#include <optional>
#include <utility>

#include "base/sha256.h"
#include "engine/large_payloads.h"

namespace holdfast::engine {

namespace keys = store::keys;
namespace stored = history::stored;

std::string LargeRows::key_of(const stored::StoreMeta& meta) {
  return meta.slot_key().empty() ? hmac_sha256(meta.token_key(), "places of large payloads")
                                 : meta.slot_key();
}

void LargeRows::note(RowChanges* changes) {
  if (!expected()) return;
  const history::SlotSigner signer(key_of(meta_));
  std::vector<std::pair<std::string, history::PayloadSlot>> found;
  for (const auto& [key, value] : *changes) {
    if (!value) continue;
    signer.find(*value, [&](const history::PayloadSlot& slot) { found.emplace_back(key, slot); });
  }
  for (const auto& [key, slot] : found) {
    keys::ExecutionRow run;
    if (keys::parse_execution_prefix(key, run)) own(run, slot, changes);
  }
}

void LargeRows::own(const keys::ExecutionRow& run, const history::PayloadSlot& slot, RowChanges* changes) {
  const auto read = [&](const std::string& key) -> std::optional<std::string> {
    if (const auto found = changes->find(key); found != changes->end()) return found->second;
    auto row = rows_.get(key);
    return row ? std::move(*row) : std::nullopt;
  };
  const keys::LargeId id{.epoch = slot.epoch, .number = slot.number};
  std::string owner = keys::large_owner(run.namespace_id, run.workflow_id, run.run_id, id);
  if (read(owner)) return;
  (*changes)[std::move(owner)] = std::string();
  stored::LargePayload payload;
  if (const auto row = read(keys::large_payload(id))) payload.ParseFromString(*row);
  payload.set_bytes(slot.bytes);
  payload.set_owners(payload.owners() + 1);
  (*changes)[keys::large_payload(id)] = history::serialize(payload);
  (*changes)[keys::staged_payload(id)] = std::nullopt;
}

void LargeRows::release(const RunKey& run, const std::vector<keys::LargeId>& had) {
  for (const keys::LargeId& id : had) {
    std::string owner = keys::large_owner(run.namespace_id, run.workflow_id, run.run_id, id);
    const auto owned = rows_.get(owner);
    if (!owned || !*owned) continue;
    rows_.erase(std::move(owner));
    std::string key = keys::large_payload(id);
    const auto row = rows_.get(key);
    stored::LargePayload payload;
    if (!row || !*row || !payload.ParseFromString(**row)) continue;
    payload.set_owners(payload.owners() - 1);
    if (payload.owners() > 0) {
      rows_.put(std::move(key), history::serialize(payload));
      continue;
    }
    rows_.erase(std::move(key));
    for (std::int64_t at = 0, piece = 0; at < payload.bytes(); at += kPieceBytes, ++piece)
      rows_.erase(keys::large_piece(id, piece));
  }
}

}  // namespace holdfast::engine
