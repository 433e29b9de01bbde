#pragma once

// Names of the rows of the engine's store. One owner: every key the engine reads or writes is built here, and
// docs/formats/store.md describes the bytes. Pure functions; durable format.
//
//   shard (2 bytes, big endian) | table (1 byte) | components
//
// A text component is escaped (0x00 becomes 0x00 0xFF) and ended by 0x00 0x01, so keys order as their
// components do and no key is a prefix of another component's. Numbers are 8 bytes, big endian, sign bit
// flipped.

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::store::keys {

inline constexpr std::uint16_t kShardCount = 64;
// Rows that belong to no shard: store meta, namespaces, visibility feed.
inline constexpr std::uint16_t kStoreWide = 0xFFFF;

// Where an execution lives. Must never change for a given store.
std::uint16_t shard_of(std::string_view namespace_id, std::string_view workflow_id);

std::string store_meta();
std::string namespace_record(std::string_view name);
std::string visibility_feed(std::int64_t sequence);

std::string current_run(std::string_view namespace_id, std::string_view workflow_id);
std::string execution_state(std::string_view namespace_id, std::string_view workflow_id,
                            std::string_view run_id);
// One thing that an execution holds; docs/formats/store.md has the kinds.
std::string state_part(std::string_view namespace_id, std::string_view workflow_id, std::string_view run_id,
                       int kind, std::int64_t n);
// All of them: [begin, end).
std::string state_parts_begin(std::string_view namespace_id, std::string_view workflow_id,
                              std::string_view run_id);
std::string state_parts_end(std::string_view namespace_id, std::string_view workflow_id,
                            std::string_view run_id);
struct PartName {
  int kind = 0;
  std::int64_t n = 0;
};
// Of the key of a part; false when it is none.
bool parse_state_part(std::string_view key, PartName& part);
std::string history_page(std::string_view namespace_id, std::string_view workflow_id, std::string_view run_id,
                         std::int64_t first_event_id);
// False: the row of a state or of a part of it, or no execution's.
bool is_history_page(std::string_view key);
// The page's first event, read back from its key.
std::int64_t history_page_event(std::string_view key);

std::string wake(std::int64_t wake_ns, std::string_view namespace_id, std::string_view workflow_id,
                 std::string_view run_id);
struct WakeRow {
  std::int64_t wake_ns = 0;
  std::string namespace_id;
  std::string workflow_id;
  std::string run_id;
};
// False when the bytes are no wake key.
bool parse_wake(std::string_view key, WakeRow& row);

// By the end of their lives: a closed execution under the moment of its close, and one that is to be deleted
// now, or of which rows are left, under moment 0.
std::string expiry(std::int64_t moment_ns, std::string_view namespace_id, std::string_view workflow_id,
                   std::string_view run_id);
// Where the namespace's rows of a shard begin.
std::string expiry_begin(std::uint16_t shard, std::string_view namespace_id);
struct ExpiryRow {
  std::int64_t moment_ns = 0;
  std::string namespace_id;
  std::string workflow_id;
  std::string run_id;
};
// False when the bytes are no such key.
bool parse_expiry(std::string_view key, ExpiryRow& row);

// Large payloads stand in pieces, under the epoch of the store in which they were written and a number.
struct LargeId {
  std::int64_t epoch = 0;
  std::int64_t number = 0;
  auto operator<=>(const LargeId&) const = default;
};
std::string large_payload(const LargeId& id);
std::string large_piece(const LargeId& id, std::int64_t piece);
// While no run has it yet.
std::string staged_payload(const LargeId& id);
// The run has it in its history.
std::string large_owner(std::string_view namespace_id, std::string_view workflow_id, std::string_view run_id,
                        const LargeId& id);
// The run's rows of these: [begin, end).
std::string large_owners_begin(std::string_view namespace_id, std::string_view workflow_id,
                               std::string_view run_id);
std::string large_owners_end(std::string_view namespace_id, std::string_view workflow_id,
                             std::string_view run_id);
// Of a key that ends in one: of an owner, a payload, a staged one.
LargeId large_id_of(std::string_view key);

// What the key of an execution's row says; false when the bytes are none.
struct ExecutionRow {
  std::string namespace_id;
  std::string workflow_id;
  std::string run_id;
  bool state = false;  // else one of its parts, or a page of its history
};
bool parse_execution(std::string_view key, ExecutionRow& row);
// The execution alone, whatever the row says of it.
bool parse_execution_prefix(std::string_view key, ExecutionRow& row);
// The namespace's rows of executions in a shard: [begin, end).
std::string executions_begin(std::uint16_t shard, std::string_view namespace_id);
std::string executions_end(std::uint16_t shard, std::string_view namespace_id);

// All rows of a table: [begin, end).
std::string table_begin(std::uint16_t shard, char table);
std::string table_end(std::uint16_t shard, char table);

inline constexpr char kMetaTable = 'm';
inline constexpr char kNamespaceTable = 'n';
inline constexpr char kFeedTable = 'f';
inline constexpr char kCurrentTable = 'c';
inline constexpr char kExecutionTable = 'e';
inline constexpr char kWakeTable = 'w';
inline constexpr char kExpiryTable = 'x';
inline constexpr char kLargeTable = 'b';
inline constexpr char kPieceTable = 'p';
inline constexpr char kStagedTable = 's';
inline constexpr char kLargeOwnerTable = 'l';

}  // namespace holdfast::store::keys
