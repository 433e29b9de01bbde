#pragma once

// The tables of the platform store as plain rows, whatever database has them: what a copy from one to another
// moves and compares. A table is added here when it is added anywhere; its columns are in one order for all.
// Plain values; a source is used by one thread.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/sha256.h"
#include "holdfast/status.h"

namespace holdfast::platform {

using Cell = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

struct Table {
  std::string_view name;
  std::string_view columns;
  std::string_view key;     // rows come in its order, texts by their bytes
  std::string_view number;  // the column that the database counts, if any: the first of `columns`
  bool of_streams = false;
};

inline constexpr Table kTables[] = {
    {"branches", "conversation, branch, parent, fork, head, head_sha256", "conversation, branch", ""},
    {"messages", "conversation, branch, sequence, json, content_sha256, chain_sha256, at",
     "conversation, branch, sequence", ""},
    {"steps", "key, run, result, at, conversation, branch, sequence, sha256, branch_opened", "key", ""},
    {"effects",
     "key, run, tool, class, arguments_sha256, fence, settled, succeeded, result, begun_at, settled_at",
     "key", ""},
    {"approvals",
     "n, id, run, agent, tool, arguments, arguments_sha256, reason, requested_at, expires_at, status, "
     "decided_by, "
     "decided_at, comment, edited_arguments",
     "n", "n"},
    {"decisions",
     "n, update_id, approval, decision, arguments_sha256, edited_arguments, decided_by, comment, at, answer, "
     "why",
     "n", "n"},
    {"runs",
     "n, run, agent, definition_hash, input, idempotency_key, request_id, engine_run_id, created_at, "
     "started_at, "
     "fingerprint",
     "n", "n"},
    {"definitions", "name, hash, text, at", "name, hash", ""},
    {"current_definitions", "name, hash", "name", ""},
    {"labels", "agent, label, move", "agent, label", ""},
    {"label_moves", "agent, label, move, hash, previous, back, how, source, actor, comment, at",
     "agent, label, move", ""},
    {"usage",
     "key, run, agent, provider, model, input_tokens, output_tokens, cached_input_tokens, at, version, tool, "
     "cache_write_tokens, reasoning_tokens, cost, price_as_of, uncounted",
     "key", ""},
    {"audit", "id, at, actor, action, subject, detail", "id", "id"},
    {"gone_histories", "run, status, closed_at, at", "run", ""},
    {"unkept_runs", "run, root, at, forgotten_at", "run", ""},
    {"held_runs", "run, kind, reason, detail, held_by, at", "run", ""},
    {"origins", "run, origin, state, started_by, at", "run", ""},
    {"usage_days",
     "day, agent, version, provider, model, tool, "
     "calls, tool_calls, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, "
     "reasoning_tokens, "
     "cost, unpriced_calls, uncounted_calls, price_as_of",
     "day, agent, version, provider, model, tool", ""},
    {"accounts",
     "run, parent, agent, version, depth, budgeted, limit_tokens, limit_money, limit_calls, "
     "limit_tool_calls, "
     "limit_depth, deadline, park, "
     "calls, tool_calls, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, "
     "reasoning_tokens, "
     "cost, unpriced_calls, uncounted_calls, price_as_of, "
     "reserved_tokens, reserved_money, reserved_calls, waiting_on, at",
     "run", ""},
    {"reservations", "key, run, tokens, money, calls, at", "key", ""},
    {"bills",
     "run, parent, agent, version, status, error_type, "
     "calls, tool_calls, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, "
     "reasoning_tokens, "
     "cost, unpriced_calls, uncounted_calls, price_as_of, "
     "unsettled_cost, begun_at, ended_at",
     "run", ""},
    {"blobs", "sha256, bytes, whole, at", "sha256", ""},
    {"blob_pieces", "sha256, n, bytes", "sha256, n", ""},
    {"blob_references", "run, sha256, conversation, media_type, bytes, at", "run, sha256", ""},
    {"memories", "subject, name, version, text, run, key, at, forgotten, bytes", "subject, name", ""},
    {"memory_versions", "subject, name, version, text, run, key, at", "subject, name, version", ""},
    {"memory_terms", "subject, term, name, times", "subject, term, name", ""},
    {"turns", "n, conversation, run, at, over", "n", "n"},
    {"run_settings", "run, settings", "run", ""},
    {"completions", "id, run, tool, step, tokens, deadline, state, result, told, at, ended_at", "id", ""},
    {"flow_places", "n, line, run, key, rules, input, state, into_run, at, since, begun_at", "n", "n"},
    {"principals", "name, kind, roles, password, disabled, created_by, created_at", "name", ""},
    {"credentials",
     "id, kind, principal, label, sha256, created_by, created_at, expires_at, revoked_at, used_at", "id", ""},
    {"server_keys", "name, value", "name", ""},
    {"oidc_people", "issuer, subject, principal, teams, at", "issuer, subject", ""},
    {"oidc_groups", "name, provider, roles, teams, set_by, set_at", "provider, name", ""},
    {"secrets", "name, namespace, version, key_id, sealed, set_by, set_at, used_at", "namespace, name", ""},
    {"tool_grants", "id, namespace, agent, team, environment, tools, mode, reason, set_by, set_at",
     "namespace, id", ""},
    {"outbox", "n, run, entries", "n", ""},
    {"questions", "approval, question", "approval", ""},
    {"asked", "word, n, since, but", "word, n", ""},
    {"decision_links", "id, approval, recipient, created_by, created_at, expires_at, used_at, revoked_at",
     "id", ""},
    {"events", "run, seq, type, data, at, key, step, attempt, start", "run, seq", "", true},
};

// How many rows, and what is in them.
class RowDigest {
 public:
  void add(std::span<const Cell> row);
  std::uint64_t rows() const { return rows_; }
  // Once, at the end.
  std::string sha256() { return hash_.hex(); }

 private:
  Sha256 hash_;
  std::uint64_t rows_ = 0;
};

class TableSource {
 public:
  virtual ~TableSource() = default;
  // DATA_LOSS for a row that is not as it was written. A failure of `each` ends it.
  virtual Status rows(const Table& table, const std::function<Status(std::span<const Cell>)>& each) = 0;
  // Of the log of events: cursors stay what they are.
  virtual Result<std::string> epoch() = 0;
};

}  // namespace holdfast::platform
