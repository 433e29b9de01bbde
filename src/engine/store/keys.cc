#include "store/keys.h"

#include "base/ids.h"

namespace holdfast::store::keys {
namespace {

void put_u16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xFF));
}

void put_i64(std::string& out, std::int64_t value) {
  const std::uint64_t bits = static_cast<std::uint64_t>(value) ^ (1ULL << 63);
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>((bits >> shift) & 0xFF));
}

void put_text(std::string& out, std::string_view text) {
  for (char c : text) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xFF');
  }
  out.push_back('\0');
  out.push_back('\x01');
}

bool take_i64(std::string_view& in, std::int64_t& value) {
  if (in.size() < 8) return false;
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits = bits << 8 | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
  value = static_cast<std::int64_t>(bits ^ (1ULL << 63));
  in.remove_prefix(8);
  return true;
}

bool take_text(std::string_view& in, std::string& text) {
  text.clear();
  for (std::size_t i = 0; i + 1 < in.size(); ++i) {
    if (in[i] != '\0') {
      text.push_back(in[i]);
    } else if (in[i + 1] == '\xFF') {
      text.push_back('\0');
      ++i;
    } else if (in[i + 1] == '\x01') {
      in.remove_prefix(i + 2);
      return true;
    } else {
      return false;
    }
  }
  return false;
}

std::string start(std::uint16_t shard, char table, std::size_t size) {
  std::string key;
  key.reserve(size + 16);
  put_u16(key, shard);
  key.push_back(table);
  return key;
}

std::string execution(char kind, std::string_view namespace_id, std::string_view workflow_id,
                      std::string_view run_id) {
  std::string key = start(shard_of(namespace_id, workflow_id), kExecutionTable,
                          namespace_id.size() + workflow_id.size() + run_id.size() + 9);
  put_text(key, namespace_id);
  put_text(key, workflow_id);
  put_text(key, run_id);
  key.push_back(kind);
  return key;
}

}  // namespace

std::uint16_t shard_of(std::string_view namespace_id, std::string_view workflow_id) {
  return static_cast<std::uint16_t>(stable_hash(workflow_id, stable_hash(namespace_id)) % kShardCount);
}

std::string store_meta() {
  return start(kStoreWide, kMetaTable, 0);
}

std::string namespace_record(std::string_view name) {
  std::string key = start(kStoreWide, kNamespaceTable, name.size());
  put_text(key, name);
  return key;
}

std::string visibility_feed(std::int64_t sequence) {
  std::string key = start(kStoreWide, kFeedTable, 8);
  put_i64(key, sequence);
  return key;
}

std::string current_run(std::string_view namespace_id, std::string_view workflow_id) {
  std::string key =
      start(shard_of(namespace_id, workflow_id), kCurrentTable, namespace_id.size() + workflow_id.size());
  put_text(key, namespace_id);
  put_text(key, workflow_id);
  return key;
}

std::string execution_state(std::string_view namespace_id, std::string_view workflow_id,
                            std::string_view run_id) {
  return execution('s', namespace_id, workflow_id, run_id);
}

std::string state_part(std::string_view namespace_id, std::string_view workflow_id, std::string_view run_id,
                       int kind, std::int64_t n) {
  std::string key = execution('p', namespace_id, workflow_id, run_id);
  key.push_back(static_cast<char>(kind));
  put_i64(key, n);
  return key;
}

std::string state_parts_begin(std::string_view namespace_id, std::string_view workflow_id,
                              std::string_view run_id) {
  return execution('p', namespace_id, workflow_id, run_id);
}

std::string state_parts_end(std::string_view namespace_id, std::string_view workflow_id,
                            std::string_view run_id) {
  return execution('p' + 1, namespace_id, workflow_id, run_id);
}

bool parse_state_part(std::string_view key, PartName& part) {
  if (key.size() < 3 || key[2] != kExecutionTable) return false;
  key.remove_prefix(3);
  std::string name;
  for (int i = 0; i < 3; ++i) {
    if (!take_text(key, name)) return false;
  }
  if (key.size() != 10 || key[0] != 'p') return false;
  part.kind = static_cast<unsigned char>(key[1]);
  key.remove_prefix(2);
  return take_i64(key, part.n);
}

std::string history_page(std::string_view namespace_id, std::string_view workflow_id, std::string_view run_id,
                         std::int64_t first_event_id) {
  std::string key = execution('h', namespace_id, workflow_id, run_id);
  put_i64(key, first_event_id);
  return key;
}

bool is_history_page(std::string_view key) {
  // A state's key ends in its kind, behind the end of the run's id.
  return key.size() > 9 && key[2] == kExecutionTable && key[key.size() - 9] == 'h' &&
         key[key.size() - 10] == 1;
}

std::int64_t history_page_event(std::string_view key) {
  std::int64_t value = 0;
  if (key.size() < 8) return 0;
  key.remove_prefix(key.size() - 8);
  take_i64(key, value);
  return value;
}

std::string wake(std::int64_t wake_ns, std::string_view namespace_id, std::string_view workflow_id,
                 std::string_view run_id) {
  std::string key = start(shard_of(namespace_id, workflow_id), kWakeTable,
                          namespace_id.size() + workflow_id.size() + run_id.size() + 8);
  put_i64(key, wake_ns);
  put_text(key, namespace_id);
  put_text(key, workflow_id);
  put_text(key, run_id);
  return key;
}

bool parse_wake(std::string_view key, WakeRow& row) {
  if (key.size() < 3 || key[2] != kWakeTable) return false;
  key.remove_prefix(3);
  return take_i64(key, row.wake_ns) && take_text(key, row.namespace_id) && take_text(key, row.workflow_id) &&
         take_text(key, row.run_id) && key.empty();
}

std::string expiry(std::int64_t moment_ns, std::string_view namespace_id, std::string_view workflow_id,
                   std::string_view run_id) {
  std::string key = start(shard_of(namespace_id, workflow_id), kExpiryTable,
                          namespace_id.size() + workflow_id.size() + run_id.size() + 8);
  put_text(key, namespace_id);
  put_i64(key, moment_ns);
  put_text(key, workflow_id);
  put_text(key, run_id);
  return key;
}

std::string expiry_begin(std::uint16_t shard, std::string_view namespace_id) {
  std::string key = start(shard, kExpiryTable, namespace_id.size());
  put_text(key, namespace_id);
  return key;
}

bool parse_expiry(std::string_view key, ExpiryRow& row) {
  if (key.size() < 3 || key[2] != kExpiryTable) return false;
  key.remove_prefix(3);
  return take_text(key, row.namespace_id) && take_i64(key, row.moment_ns) &&
         take_text(key, row.workflow_id) && take_text(key, row.run_id) && key.empty();
}

namespace {

std::string large(char table, const LargeId& id) {
  std::string key = start(kStoreWide, table, 24);
  put_i64(key, id.epoch);
  put_i64(key, id.number);
  return key;
}

bool take_execution(std::string_view& key, ExecutionRow& row) {
  if (key.size() < 3 || key[2] != kExecutionTable) return false;
  key.remove_prefix(3);
  return take_text(key, row.namespace_id) && take_text(key, row.workflow_id) && take_text(key, row.run_id);
}

}  // namespace

std::string large_payload(const LargeId& id) {
  return large(kLargeTable, id);
}

std::string large_piece(const LargeId& id, std::int64_t piece) {
  std::string key = large(kPieceTable, id);
  put_i64(key, piece);
  return key;
}

std::string staged_payload(const LargeId& id) {
  return large(kStagedTable, id);
}

std::string large_owners_begin(std::string_view namespace_id, std::string_view workflow_id,
                               std::string_view run_id) {
  std::string key = start(shard_of(namespace_id, workflow_id), kLargeOwnerTable,
                          namespace_id.size() + workflow_id.size() + run_id.size() + 16);
  put_text(key, namespace_id);
  put_text(key, workflow_id);
  put_text(key, run_id);
  return key;
}

std::string large_owners_end(std::string_view namespace_id, std::string_view workflow_id,
                             std::string_view run_id) {
  std::string key = large_owners_begin(namespace_id, workflow_id, run_id);
  key.back() = '\x02';  // behind the end of the text
  return key;
}

std::string large_owner(std::string_view namespace_id, std::string_view workflow_id, std::string_view run_id,
                        const LargeId& id) {
  std::string key = large_owners_begin(namespace_id, workflow_id, run_id);
  put_i64(key, id.epoch);
  put_i64(key, id.number);
  return key;
}

LargeId large_id_of(std::string_view key) {
  LargeId id;
  if (key.size() < 16) return id;
  key.remove_prefix(key.size() - 16);
  take_i64(key, id.epoch);
  take_i64(key, id.number);
  return id;
}

bool parse_execution_prefix(std::string_view key, ExecutionRow& row) {
  return take_execution(key, row);
}

bool parse_execution(std::string_view key, ExecutionRow& row) {
  if (!take_execution(key, row)) return false;
  row.state = key == "s";
  return row.state || (key.size() == 9 && key[0] == 'h') || (key.size() == 10 && key[0] == 'p');
}

std::string executions_begin(std::uint16_t shard, std::string_view namespace_id) {
  std::string key = start(shard, kExecutionTable, namespace_id.size());
  put_text(key, namespace_id);
  return key;
}

std::string executions_end(std::uint16_t shard, std::string_view namespace_id) {
  std::string key = executions_begin(shard, namespace_id);
  key.back() = '\x02';  // behind the end of the text
  return key;
}

std::string table_begin(std::uint16_t shard, char table) {
  return start(shard, table, 0);
}

std::string table_end(std::uint16_t shard, char table) {
  return start(shard, static_cast<char>(table + 1), 0);
}

}  // namespace holdfast::store::keys
