// Conversations as rows: branches and the messages that each owns.

#include "platform/conversation_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::Branch;
using rules::Change;
using rules::Write;

#define BRANCH_COLUMNS "conversation, branch, parent, fork, head, head_sha256"
#define BRANCH_VALUES "$1, $2, $3, $4, $5, $6"

Result<std::optional<Branch>> find_branch(Connection& db, std::string_view conversation,
                                          std::uint32_t number) {
  Statement query(db,
                  "SELECT branch, parent, fork, head, head_sha256 FROM branches "
                  "WHERE conversation = $1 AND branch = $2");
  return query.bind(conversation, number).one([](const Statement& row) {
    Branch out;
    row.read(out.number, out.parent, out.fork, out.head, out.head_sha256);
    return out;
  });
}

Status keep(Connection& db, std::string_view conversation, const Change<Branch>& change) {
  const Branch& row = change.row;
  if (change.write == Write::kInsert) {
    Statement insert(db, "INSERT INTO branches (" BRANCH_COLUMNS ") VALUES (" BRANCH_VALUES ")");
    return insert.bind(conversation, row.number, row.parent, row.fork, row.head, row.head_sha256).run();
  }
  Statement update(db,
                   "UPDATE branches SET head = $3, head_sha256 = $4 WHERE conversation = $1 AND branch = $2");
  return update.bind(conversation, row.number, row.head, row.head_sha256).run();
}

// The branch, its parent and so on, down to the one that owns message `sequence`.
Result<std::vector<Branch>> lineage_of(Connection& db, std::string_view conversation, Branch branch,
                                       std::uint64_t sequence) {
  std::vector<Branch> out = {std::move(branch)};
  while (!rules::owns(out.back(), sequence)) {
    Result<std::optional<Branch>> parent = find_branch(db, conversation, out.back().parent);
    if (!parent) return fail(parent.error());
    if (!*parent) {
      return fail(Code::kDataLoss,
                  fmt::format("conversation {}: branch {} is missing", conversation, out.back().parent));
    }
    out.push_back(std::move(**parent));
  }
  return out;
}

Result<std::string> chain_sha256(Connection& db, const Reference& at, std::uint32_t owner) {
  Statement query(
      db, "SELECT chain_sha256 FROM messages WHERE conversation = $1 AND branch = $2 AND sequence = $3");
  Result<std::optional<std::string>> found =
      query.bind(at.conversation, owner, at.sequence).one([](const Statement& row) { return row.text(0); });
  if (!found) return fail(found.error());
  if (!*found) {
    return fail(Code::kDataLoss, fmt::format("conversation {} branch {} sequence {}: the message is missing",
                                             at.conversation, at.branch, at.sequence));
  }
  return std::move(**found);
}

// A reference that names what is stored.
struct Place {
  std::optional<Branch> branch;  // none: branch 0, and nothing was appended
  std::optional<Branch> owner;   // of the message, when it is not the branch's head
};

Result<Place> resolve(Connection& db, const Reference& at) {
  if (Status status = rules::check_name("a conversation", at.conversation); !status.ok()) return fail(status);
  Result<std::optional<Branch>> branch = find_branch(db, at.conversation, at.branch);
  if (!branch) return fail(branch.error());
  if (Status status = rules::check_place(at, *branch); !status.ok()) return fail(status);
  Place out;
  out.branch = std::move(*branch);
  if (!out.branch) return out;
  std::string stored = at.sequence == 0 ? std::string() : out.branch->head_sha256;
  if (at.sequence != out.branch->head) {
    Result<std::vector<Branch>> lineage = lineage_of(db, at.conversation, *out.branch, at.sequence);
    if (!lineage) return fail(lineage.error());
    out.owner = std::move(lineage->back());
    if (at.sequence != 0) {
      Result<std::string> hash = chain_sha256(db, at, out.owner->number);
      if (!hash) return fail(hash.error());
      stored = std::move(*hash);
    }
  }
  if (Status status = rules::check_hash(at, stored); !status.ok()) return fail(status);
  return out;
}

Result<std::uint32_t> last_branch(Connection& db, std::string_view conversation) {
  Statement query(db, "SELECT max(branch) FROM branches WHERE conversation = $1");
  Result<std::optional<std::uint32_t>> last = query.bind(conversation).one([](const Statement& row) {
    return static_cast<std::uint32_t>(row.integer(0));
  });
  if (!last) return fail(last.error());
  return last->value_or(0);
}

// All of them in one statement.
Status insert_messages(Connection& db, std::string_view conversation, const std::vector<Message>& rows) {
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
Result<bool> read_segment(Connection& db, std::string_view conversation, const rules::Segment& segment,
                          std::vector<Message>& out, std::size_t& bytes) {
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
      return fail(lost_row("messages", fmt::format("{}, branch {}, sequence {}", conversation, message.branch,
                                                   message.sequence)));
    }
  }
  if (!query.status().ok()) return fail(query.status());
  return true;
}

}  // namespace

Result<Appended> append_in(Connection& db, const Reference& expected,
                           const std::vector<std::string>& messages, WallTime now) {
  if (Status status = rules::check_messages(messages); !status.ok()) return fail(status);
  Result<Place> place = resolve(db, expected);
  if (!place) return fail(place.error());
  std::uint32_t last = 0;
  if (place->owner) {
    Result<std::uint32_t> found = last_branch(db, expected.conversation);
    if (!found) return fail(found.error());
    last = *found;
  }
  Change<Branch> branch = rules::branch_for(expected, place->branch, place->owner, last);
  std::vector<Message> rows;
  for (const std::string& json : messages) rows.push_back(rules::next_message(branch.row, json, now));
  if (Status status = insert_messages(db, expected.conversation, rows); !status.ok()) return fail(status);
  if (Status status = keep(db, expected.conversation, branch); !status.ok()) return fail(status);
  Appended out;
  out.head = rules::head_of(expected.conversation, branch.row);
  out.branch_opened = place->branch && branch.write == Write::kInsert;
  return out;
}

Result<Appended> PostgresStore::append(const Reference& expected, const std::vector<std::string>& messages) {
  return write<Appended>([&](Connection& db) { return append_in(db, expected, messages, clock_.now()); });
}

Result<Reference> PostgresStore::head(std::string_view conversation, std::uint32_t branch) {
  return reading<Reference>([&](Connection& db) -> Result<Reference> {
    Result<std::optional<Branch>> found = find_branch(db, conversation, branch);
    if (!found) return fail(found.error());
    if (!*found)
      return fail(Code::kNotFound, fmt::format("conversation {} has no branch {}", conversation, branch));
    return rules::head_of(conversation, **found);
  });
}

Result<std::vector<Message>> PostgresStore::read(const Reference& at, std::uint64_t first,
                                                 std::uint64_t last) {
  return reading<std::vector<Message>>([&](Connection& db) -> Result<std::vector<Message>> {
    std::vector<Message> out;
    first = std::max<std::uint64_t>(first, 1);
    last = std::min(last, at.sequence);
    Result<Place> place = resolve(db, at);
    if (!place) return fail(place.error());
    if (!place->branch || first > last) return out;
    Result<std::vector<Branch>> lineage = lineage_of(db, at.conversation, *place->branch, first);
    if (!lineage) return fail(lineage.error());
    std::size_t bytes = 0;
    for (const rules::Segment& segment : rules::segments_of(*lineage, first, last)) {
      Result<bool> goes_on = read_segment(db, at.conversation, segment, out, bytes);
      if (!goes_on) return fail(goes_on.error());
      if (!*goes_on) break;
    }
    return out;
  });
}

}  // namespace holdfast::platform
