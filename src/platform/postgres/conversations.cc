// Conversations as rows: branches and the messages that each owns.

#include "platform/fork_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::Branch;

#define BRANCH_COLUMNS "conversation, branch, parent, fork, head, head_sha256"
#define BRANCH_VALUES "$1, $2, $3, $4, $5, $6"

struct ConversationRows {
  Connection& db;

  Result<std::optional<Branch>> find(std::string_view conversation, std::uint32_t number) {
    Statement query(db,
                    "SELECT branch, parent, fork, head, head_sha256 FROM branches "
                    "WHERE conversation = $1 AND branch = $2");
    return query.bind(conversation, number).one([](const Statement& row) {
      Branch out;
      row.read(out.number, out.parent, out.fork, out.head, out.head_sha256);
      return out;
    });
  }

  Status insert(std::string_view conversation, const Branch& row) {
    Statement insert(db, "INSERT INTO branches (" BRANCH_COLUMNS ") VALUES (" BRANCH_VALUES ")");
    return insert.bind(conversation, row.number, row.parent, row.fork, row.head, row.head_sha256).run();
  }
  Status update(std::string_view conversation, const Branch& row) {
    Statement update(
        db, "UPDATE branches SET head = $3, head_sha256 = $4 WHERE conversation = $1 AND branch = $2");
    return update.bind(conversation, row.number, row.head, row.head_sha256).run();
  }

  Result<std::uint32_t> last_branch(std::string_view conversation) {
    Statement query(db, "SELECT max(branch) FROM branches WHERE conversation = $1");
    Result<std::optional<std::uint32_t>> last = query.bind(conversation).one([](const Statement& row) {
      return static_cast<std::uint32_t>(row.integer(0));
    });
    if (!last) return fail(last.error());
    return last->value_or(0);
  }

  Result<std::optional<std::string>> chain_sha256(std::string_view conversation, std::uint32_t branch,
                                                  std::uint64_t sequence) {
    Statement query(
        db, "SELECT chain_sha256 FROM messages WHERE conversation = $1 AND branch = $2 AND sequence = $3");
    return query.bind(conversation, branch, sequence).one([](const Statement& row) { return row.text(0); });
  }

  // All of them in one statement.
  Status insert_messages(std::string_view conversation, const std::vector<Message>& rows) {
    using postgres::Array;
    Array sequences(Array::Of::kIntegers);
    Array jsons(Array::Of::kBytes);
    Array contents(Array::Of::kBytes);
    Array chains(Array::Of::kBytes);
    for (const Message& row : rows) {
      sequences.add(static_cast<std::int64_t>(row.sequence));
      jsons.add(std::string_view(row.json));
      contents.add(std::string_view(row.content_sha256));
      chains.add(std::string_view(row.chain_sha256));
    }
    Statement insert(
        db,
        "INSERT INTO messages (conversation, branch, at, sequence, json, content_sha256, chain_sha256) "
        "SELECT $1::bytea, $2::bigint, $3::bigint, m.* "
        "FROM unnest($4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[]) AS m");
    return insert.bind(conversation, rows.front().branch, rows.front().at, sequences, jsons, contents, chains)
        .run();
  }

  // Adds the segment's messages; false when the page is full. A message beyond the bytes of one read comes
  // without its text, so that nobody has to send it.
  Result<bool> read(std::string_view conversation, const rules::Segment& segment, std::vector<Message>& out,
                    std::size_t& bytes) {
    Statement query(db,
                    "SELECT branch, sequence, CASE WHEN before <= $5::bigint THEN json END, content_sha256, "
                    "chain_sha256, at FROM (SELECT *, sum(octet_length(json)) OVER (ORDER BY sequence) - "
                    "octet_length(json) AS before FROM messages WHERE conversation = $1 AND branch = $2 AND "
                    "sequence BETWEEN $3 AND $4 ORDER BY sequence LIMIT $6::bigint) AS m ORDER BY sequence");
    const std::size_t room = rules::kMaxReadBytes - std::min(bytes, rules::kMaxReadBytes);
    query.bind(conversation, segment.branch, segment.first, segment.last, room, kMaxPage - out.size() + 1);
    while (query.next()) {
      if (out.size() == kMaxPage) return false;
      if (bytes > rules::kMaxReadBytes || query.is_null(2)) {
        return fail(
            Code::kResourceExhausted,
            fmt::format("the messages up to {} of conversation {} have more than {} bytes: read fewer at "
                        "once",
                        segment.last, conversation, rules::kMaxReadBytes));
      }
      Message& message = out.emplace_back();
      query.read(message.branch, message.sequence, message.json, message.content_sha256, message.chain_sha256,
                 message.at);
      bytes += message.json.size();
      if (sha256_hex(message.json) != message.content_sha256) {
        return fail(lost_row("messages", fmt::format("{}, branch {}, sequence {}", conversation,
                                                     message.branch, message.sequence)));
      }
    }
    if (!query.status().ok()) return fail(query.status());
    return true;
  }
};

}  // namespace

Result<Appended> append_in(Connection& db, const Reference& expected,
                           const std::vector<std::string>& messages, WallTime now) {
  return calls::append(ConversationRows{db}, expected, messages, now);
}

Status begin_conversation_in(Connection& db, const std::string& conversation,
                             const std::vector<std::string>& messages, WallTime now) {
  ConversationRows rows{db};
  const Result<std::optional<Branch>> there = rows.find(conversation, 0);
  if (!there) return there.error();
  if (*there) return {};
  const auto appended = append_in(db, Store::empty_conversation(conversation), messages, now);
  return appended ? Status() : appended.error();
}

Result<Reference> open_branch_in(Connection& db, const Reference& at) {
  return calls::open_branch(ConversationRows{db}, at);
}

Result<Appended> PostgresStore::append(const Reference& expected, const std::vector<std::string>& messages) {
  return write<Appended>([&](Connection& db) { return append_in(db, expected, messages, clock_.now()); });
}

Result<Reference> PostgresStore::head(std::string_view conversation, std::uint32_t branch) {
  return reading<Reference>(
      [&](Connection& db) { return calls::head(ConversationRows{db}, conversation, branch); });
}

Result<std::vector<Message>> PostgresStore::read(const Reference& at, std::uint64_t first,
                                                 std::uint64_t last) {
  return reading<std::vector<Message>>(
      [&](Connection& db) { return calls::read(ConversationRows{db}, at, first, last); });
}

}  // namespace holdfast::platform
