// Conversations as rows: branches and the messages that each owns.

#include "platform/fork_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::Branch;

#define BRANCH_COLUMNS "conversation, branch, parent, fork, head, head_sha256"
#define BRANCH_VALUES "?1, ?2, ?3, ?4, ?5, ?6"

struct ConversationRows {
  Database& db;

  Result<std::optional<Branch>> find(std::string_view conversation, std::uint32_t number) {
    Statement query(db, "SELECT " BRANCH_COLUMNS ", " ROW_DAMAGED(
                            "checksum", "branches",
                            BRANCH_COLUMNS) " FROM branches WHERE conversation = ?1 AND branch = ?2");
    return sound_one(query.bind(conversation, number), "branches", [](const Statement& row) {
      Branch out;
      row.read_from(1, out.number, out.parent, out.fork, out.head, out.head_sha256);
      return out;
    });
  }

  Status insert(std::string_view conversation, const Branch& row) {
    Statement insert(db, "INSERT INTO branches (" BRANCH_COLUMNS ", checksum) VALUES (" BRANCH_VALUES
                         ", " ROW_SUM("branches", BRANCH_VALUES) ")");
    return insert.bind(conversation, row.number, row.parent, row.fork, row.head, row.head_sha256).run();
  }
  Status update(std::string_view conversation, const Branch& row) {
    Statement update(
        db, "UPDATE branches SET head = ?3, head_sha256 = ?4, checksum = " ROW_SUM(
                "branches",
                "conversation, branch, parent, fork, ?3, ?4") " WHERE conversation = ?1 AND branch = ?2");
    return update.bind(conversation, row.number, row.head, row.head_sha256).run();
  }

  Result<std::uint32_t> last_branch(std::string_view conversation) {
    Statement query(db, "SELECT max(branch) FROM branches WHERE conversation = ?1");
    if (!query.bind(conversation).next()) return fail(query.status());
    return static_cast<std::uint32_t>(query.integer(0));
  }

  Result<std::optional<std::string>> chain_sha256(std::string_view conversation, std::uint32_t branch,
                                                  std::uint64_t sequence) {
    Statement query(
        db, "SELECT chain_sha256 FROM messages WHERE conversation = ?1 AND branch = ?2 AND sequence = ?3");
    return query.bind(conversation, branch, sequence).one([](const Statement& row) { return row.text(0); });
  }

  Status insert_messages(std::string_view conversation, const std::vector<Message>& rows) {
    for (const Message& row : rows) {
      if (Status status = insert_message(conversation, row); !status.ok()) return status;
    }
    return {};
  }
  Status insert_message(std::string_view conversation, const Message& row) {
    Statement insert(
        db,
        "INSERT INTO messages (conversation, branch, sequence, json, content_sha256, chain_sha256, "
        "at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    return insert
        .bind(conversation, row.branch, row.sequence, row.json, row.content_sha256, row.chain_sha256, row.at)
        .run();
  }

  // Adds the segment's messages; false when the page is full.
  Result<bool> read(std::string_view conversation, const rules::Segment& segment, std::vector<Message>& out,
                    std::size_t& bytes) {
    Statement query(
        db,
        "SELECT branch, sequence, json, content_sha256, chain_sha256, at FROM messages "
        "WHERE conversation = ?1 AND branch = ?2 AND sequence BETWEEN ?3 AND ?4 ORDER BY sequence");
    query.bind(conversation, segment.branch, segment.first, segment.last);
    while (query.next()) {
      if (out.size() == kMaxPage) return false;
      if (bytes > rules::kMaxReadBytes) {
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
        return fail(damaged_row("messages", fmt::format("{}, branch {}, sequence {}", conversation,
                                                        message.branch, message.sequence)));
      }
    }
    if (!query.status().ok()) return fail(query.status());
    return true;
  }
};

}  // namespace

Result<Appended> append_in(Database& db, const Reference& expected, const std::vector<std::string>& messages,
                           WallTime now) {
  return calls::append(ConversationRows{db}, expected, messages, now);
}

Status begin_conversation_in(Database& db, const std::string& conversation,
                             const std::vector<std::string>& messages, WallTime now) {
  ConversationRows rows{db};
  const Result<std::optional<Branch>> there = rows.find(conversation, 0);
  if (!there) return there.error();
  if (*there) return {};
  const auto appended = append_in(db, Store::empty_conversation(conversation), messages, now);
  return appended ? Status() : appended.error();
}

Result<Reference> open_branch_in(Database& db, const Reference& at) {
  return calls::open_branch(ConversationRows{db}, at);
}

Result<Appended> SqliteStore::append(const Reference& expected, const std::vector<std::string>& messages) {
  return write<Appended>([&](Database& db) { return append_in(db, expected, messages, clock_.now()); });
}

Result<Reference> SqliteStore::head(std::string_view conversation, std::uint32_t branch) {
  return reading<Reference>(
      [&](Database& db) { return calls::head(ConversationRows{db}, conversation, branch); });
}

Result<std::vector<Message>> SqliteStore::read(const Reference& at, std::uint64_t first, std::uint64_t last) {
  return reading<std::vector<Message>>(
      [&](Database& db) { return calls::read(ConversationRows{db}, at, first, last); });
}

}  // namespace holdfast::platform
