// Conversations: an append-only tree of messages. A branch owns the sequences after its fork; below it, its
// parent's apply. The cost of an append does not depend on how much is there.

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

// JSON of one read; more is refused, so that nobody takes a part for the whole.
constexpr std::size_t kMaxReadBytes = 64 << 20;

struct Branch {
  std::uint32_t number = 0;
  std::uint32_t parent = 0;
  std::uint64_t fork = 0;
  std::uint64_t head = 0;
  std::string head_sha256;
};

Result<std::optional<Branch>> find_branch(Database& db, std::string_view conversation, std::uint32_t number) {
  Statement query(db,
                  "SELECT branch, parent, fork, head, head_sha256 FROM branches WHERE conversation = ?1 AND "
                  "branch = ?2");
  return query.bind(conversation, number).one([](const Statement& row) {
    Branch out;
    row.read(out.number, out.parent, out.fork, out.head, out.head_sha256);
    return out;
  });
}

Status unknown_reference(const Reference& reference, std::string_view why) {
  return Status(Code::kFailedPrecondition,
                fmt::format("conversation {} branch {} sequence {}: {}", reference.conversation,
                            reference.branch, reference.sequence, why));
}

// The branch that holds message `sequence` as seen from `branch`.
Result<Branch> owner_of(Database& db, const Reference& reference, Branch branch) {
  while (reference.sequence <= branch.fork && branch.number != 0) {
    Result<std::optional<Branch>> parent = find_branch(db, reference.conversation, branch.parent);
    if (!parent) return fail(parent.error());
    if (!*parent)
      return fail(Code::kDataLoss, fmt::format("conversation {}: branch {} is missing",
                                               reference.conversation, branch.parent));
    branch = std::move(**parent);
  }
  return branch;
}

// Finds the branch and proves that the reference names what is stored.
Result<std::optional<Branch>> resolve(Database& db, const Reference& reference) {
  if (Status status = check_name("a conversation", reference.conversation); !status.ok()) return fail(status);
  Result<std::optional<Branch>> branch = find_branch(db, reference.conversation, reference.branch);
  if (!branch) return fail(branch.error());
  if (reference.sequence == 0) {
    if (!reference.sha256.empty())
      return fail(unknown_reference(reference, "the empty conversation has no hash"));
    if (!*branch && reference.branch != 0)
      return fail(unknown_reference(reference, "there is no such branch"));
    return branch;
  }
  if (!*branch) return fail(unknown_reference(reference, "there is no such branch"));
  if (reference.sequence > (*branch)->head) {
    return fail(unknown_reference(reference, fmt::format("the branch ends at {}", (*branch)->head)));
  }
  std::string stored = (*branch)->head_sha256;
  if (reference.sequence != (*branch)->head) {
    Result<Branch> owner = owner_of(db, reference, **branch);
    if (!owner) return fail(owner.error());
    Statement query(
        db, "SELECT chain_sha256 FROM messages WHERE conversation = ?1 AND branch = ?2 AND sequence = ?3");
    query.bind(reference.conversation, owner->number, reference.sequence);
    if (!query.next()) {
      if (!query.status().ok()) return fail(query.status());
      return fail(Code::kDataLoss, unknown_reference(reference, "the message is missing").message());
    }
    stored = query.text(0);
  }
  if (stored != reference.sha256)
    return fail(unknown_reference(reference, "the hash is not that of the stored messages"));
  return branch;
}

Status check_messages(const std::vector<std::string>& messages) {
  if (messages.empty()) return Status(Code::kInvalidArgument, "an append needs at least one message");
  if (messages.size() > kMaxMessagesPerStep) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} messages in one append; at most {}", messages.size(), kMaxMessagesPerStep));
  }
  for (const std::string& message : messages) {
    if (Status status = check_body("a message", message); !status.ok()) return status;
  }
  return {};
}

// Where messages after `expected` go: its own branch when that is its head, else a new one.
Result<Branch> target_branch(Database& db, const Reference& expected, std::optional<Branch> branch,
                             bool* opened) {
  *opened = false;
  if (!branch) {
    Statement insert(
        db,
        "INSERT INTO branches (conversation, branch, parent, fork, head, head_sha256) VALUES (?1, "
        "0, 0, 0, 0, '')");
    if (Status status = insert.bind(expected.conversation).run(); !status.ok()) return fail(status);
    return Branch{};
  }
  if (branch->head == expected.sequence) return std::move(*branch);

  Result<Branch> owner = owner_of(db, expected, *branch);
  if (!owner) return fail(owner.error());
  Statement last(db, "SELECT max(branch) FROM branches WHERE conversation = ?1");
  last.bind(expected.conversation);
  if (!last.next()) return fail(last.status());
  Branch fresh;
  fresh.number = static_cast<std::uint32_t>(last.integer(0)) + 1;
  fresh.parent = owner->number;
  fresh.fork = expected.sequence;
  fresh.head = expected.sequence;
  fresh.head_sha256 = expected.sha256;
  Statement insert(
      db,
      "INSERT INTO branches (conversation, branch, parent, fork, head, head_sha256) VALUES (?1, ?2, "
      "?3, ?4, ?5, ?6)");
  insert.bind(expected.conversation, fresh.number, fresh.parent, fresh.fork, fresh.head, fresh.head_sha256);
  if (Status status = insert.run(); !status.ok()) return fail(status);
  *opened = true;
  return fresh;
}

}  // namespace

Result<Appended> append_in(Database& db, const Reference& expected, const std::vector<std::string>& messages,
                           WallTime now) {
  if (Status status = check_messages(messages); !status.ok()) return fail(status);
  Result<std::optional<Branch>> found = resolve(db, expected);
  if (!found) return fail(found.error());
  Appended out;
  Result<Branch> branch = target_branch(db, expected, std::move(*found), &out.branch_opened);
  if (!branch) return fail(branch.error());

  for (const std::string& message : messages) {
    const std::string content = sha256_hex(message);
    branch->head_sha256 = sha256_hex(branch->head_sha256 + content);
    ++branch->head;
    Statement insert(
        db,
        "INSERT INTO messages (conversation, branch, sequence, json, content_sha256, chain_sha256, at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    insert.bind(expected.conversation, branch->number, branch->head, message, content, branch->head_sha256,
                now);
    if (Status status = insert.run(); !status.ok()) return fail(status);
  }
  Statement update(db,
                   "UPDATE branches SET head = ?3, head_sha256 = ?4 WHERE conversation = ?1 AND branch = ?2");
  update.bind(expected.conversation, branch->number, branch->head, branch->head_sha256);
  if (Status status = update.run(); !status.ok()) return fail(status);

  out.head.conversation = expected.conversation;
  out.head.branch = branch->number;
  out.head.sequence = branch->head;
  out.head.sha256 = branch->head_sha256;
  return out;
}

Result<Appended> SqliteStore::append(const Reference& expected, const std::vector<std::string>& messages) {
  return write<Appended>([&](Database& db) { return append_in(db, expected, messages, clock_.now()); });
}

Result<Reference> SqliteStore::head(std::string_view conversation, std::uint32_t branch) {
  return reading<Reference>([&](Database& db) -> Result<Reference> {
    Result<std::optional<Branch>> found = find_branch(db, conversation, branch);
    if (!found) return fail(found.error());
    if (!*found)
      return fail(Code::kNotFound, fmt::format("conversation {} has no branch {}", conversation, branch));
    Reference out;
    out.conversation = std::string(conversation);
    out.branch = branch;
    out.sequence = (*found)->head;
    out.sha256 = (*found)->head_sha256;
    return out;
  });
}

Result<std::vector<Message>> SqliteStore::read(const Reference& at, std::uint64_t first, std::uint64_t last) {
  return reading<std::vector<Message>>([&](Database& db) -> Result<std::vector<Message>> {
    std::vector<Message> out;
    first = std::max<std::uint64_t>(first, 1);
    last = std::min(last, at.sequence);
    Result<std::optional<Branch>> found = resolve(db, at);
    if (!found) return fail(found.error());
    if (!*found || first > last) return out;

    // From the youngest branch down: who owns which sequences.
    struct Segment {
      std::uint32_t branch;
      std::uint64_t first;
      std::uint64_t last;
    };
    std::vector<Segment> segments;
    Branch branch = std::move(**found);
    for (std::uint64_t end = last; end >= first;) {
      Reference place = at;
      place.sequence = end;
      Result<Branch> owner = owner_of(db, place, std::move(branch));
      if (!owner) return fail(owner.error());
      branch = std::move(*owner);
      segments.push_back({branch.number, std::max(first, branch.fork + 1), end});
      end = branch.fork;
      if (branch.fork == 0) break;
    }

    std::size_t bytes = 0;
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
      Statement query(
          db,
          "SELECT sequence, json, content_sha256, chain_sha256, at FROM messages "
          "WHERE conversation = ?1 AND branch = ?2 AND sequence BETWEEN ?3 AND ?4 ORDER BY sequence");
      query.bind(at.conversation, segment->branch, segment->first, segment->last);
      while (query.next()) {
        if (out.size() == kMaxPage) return out;
        if (bytes > kMaxReadBytes) {
          return fail(
              Code::kResourceExhausted,
              fmt::format("messages {} to {} of conversation {} have more than {} bytes: read fewer at once",
                          first, last, at.conversation, kMaxReadBytes));
        }
        Message message;
        message.branch = segment->branch;
        query.read(message.sequence, message.json, message.content_sha256, message.chain_sha256, message.at);
        bytes += message.json.size();
        out.push_back(std::move(message));
      }
      if (!query.status().ok()) return fail(query.status());
    }
    return out;
  });
}

}  // namespace holdfast::platform
