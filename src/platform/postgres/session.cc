#include "platform_postgres/session.h"

#include <fmt/format.h>

#include <utility>

#include "base/sha256.h"
#include "base/storage_fault.h"
#include "postgres/statement.h"

namespace holdfast::platform {

using postgres::Statement;
using std::chrono::milliseconds;

namespace {

constexpr int kMaxAborts = 5;
// A server that has just stopped holds its locks until PostgreSQL has noticed.
constexpr milliseconds kGoing{1'000};

// Locks are of a database: their numbers keep schemas and other programs apart.
std::int64_t lock_number(const std::string& schema, const std::string& writer) {
  Sha256 hash;
  hash.update("holdfast platform store\n" + schema + "\n" + writer);
  return static_cast<std::int64_t>(hash.first_64_bits());
}

Result<bool> try_lock(Connection& connection, const std::string& writer) {
  Statement query(connection, "SELECT pg_try_advisory_lock($1)");
  Result<std::optional<bool>> locked =
      query.bind(lock_number(connection.address().schema, writer)).one([](const Statement& row) {
        return row.integer(0) != 0;
      });
  if (!locked) return fail(locked.error());
  return locked->value_or(false);
}

Status in_use(const postgres::Address& address) {
  return with_fault(
      Code::kUnavailable, StorageFault::kLocked,
      fmt::format("the platform store {} is in use by another Holdfast server: stop it, or choose another "
                  "schema",
                  address.text()));
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(SessionOptions options, std::string name) {
  std::unique_ptr<Session> out(new Session(std::move(options), std::move(name)));
  Patience patience(*out->options_.clock, out->options_.patience);
  if (Status status = out->connect(patience, Entry::kFirst); !status.ok()) return fail(status);
  return out;
}

Status Session::connect(Patience& patience, Entry entry) {
  while (true) {
    if (over_) return taken_over();
    if (connection_ && !connection_->lost()) return {};
    connection_.reset();
    Result<std::unique_ptr<Connection>> fresh =
        Connection::open(options_.address, options_.limits, *options_.clock);
    Status status = fresh ? enter(**fresh, entry) : fresh.error();
    if (status.ok()) {
      connection_ = std::move(*fresh);
      backend_ = connection_->backend();
      return {};
    }
    const bool may_pass = status.code() == Code::kUnavailable || status.code() == Code::kResourceExhausted ||
                          status.code() == Code::kAborted;
    if (!may_pass || over_ || !patience.pause()) return status;
  }
}

Status Session::enter(Connection& connection, Entry entry) {
  Result<bool> locked = lock(connection);
  if (!locked) return locked.error();
  if (*locked) return entry == Entry::kFirst ? raise_epoch(connection) : check_epoch(connection);
  // Does the lock belong to a connection of ours that we gave up, or to somebody who came after us?
  if (entry == Entry::kAgain) {
    if (Status status = check_epoch(connection); !status.ok()) return status;
  }
  return in_use(options_.address);
}

// Our own former connection may still hold the lock, when the server has not noticed yet that it is gone.
Result<bool> Session::lock(Connection& connection) {
  Result<bool> locked = try_lock(connection, name_);
  if (!locked || *locked || backend_ == 0) return locked;
  Statement end(connection,
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
                "pid = $1::bigint AND classid::bigint = ($2::bigint >> 32) & 4294967295 AND "
                "objid::bigint = $2::bigint & 4294967295");
  if (Status status = end.bind(backend_, lock_number(connection.address().schema, name_)).run(); !status.ok())
    return fail(status);
  return try_lock(connection, name_);
}

Status Session::raise_epoch(Connection& connection) {
  Statement raise(connection,
                  "UPDATE writers SET epoch = epoch + 1, batch = 0 WHERE name = $1::bytea RETURNING epoch");
  Result<std::optional<std::int64_t>> epoch =
      raise.bind(name_).one([](const Statement& row) { return row.integer(0); });
  if (!epoch) return epoch.error();
  if (!*epoch) return {Code::kDataLoss, "the table writers has lost a row"};
  epoch_ = **epoch;
  batch_ = 0;
  return {};
}

Status Session::check_epoch(Connection& connection) {
  Statement query(connection, "SELECT epoch FROM writers WHERE name = $1::bytea");
  Result<std::optional<std::int64_t>> epoch =
      query.bind(name_).one([](const Statement& row) { return row.integer(0); });
  if (!epoch) return epoch.error();
  return *epoch == epoch_ ? Status() : taken_over();
}

Status Session::taken_over() {
  Status status(
      Code::kFailedPrecondition,
      fmt::format("another Holdfast server has taken the platform store {} while this one could not "
                  "reach it",
                  options_.address.text()));
  if (!std::exchange(over_, true) && options_.fatal) options_.fatal(status.message());
  return status;
}

Status Session::transact(const std::function<Status(Connection&)>& work) {
  Patience patience(*options_.clock, options_.patience);
  for (int aborts = 0;;) {
    if (Status status = connect(patience, Entry::kAgain); !status.ok()) return status;
    committing_ = false;
    Status status = attempt(work);
    if (status.ok()) return status;
    if (connection_->lost()) {
      if (!committing_) continue;  // nothing of it can be there
      Result<bool> done = committed(patience);
      if (!done) return done.error();
      if (*done) return {};
      continue;
    }
    if (connection_->in_transaction()) (void)connection_->execute("ROLLBACK");
    if (status.code() != Code::kAborted || ++aborts == kMaxAborts) return status;
  }
}

Status Session::attempt(const std::function<Status(Connection&)>& work) {
  const std::string begin = fmt::format(
      "BEGIN; UPDATE writers SET batch = {} WHERE name = '{}' AND epoch = {}", ++batch_, name_, epoch_);
  if (Status status = connection_->execute(begin); !status.ok()) return status;
  if (connection_->affected() != 1) return taken_over();
  if (Status status = work(*connection_); !status.ok()) return status;
  if (connection_->lost()) return {Code::kUnavailable, "the connection is lost"};
  committing_ = true;
  return connection_->execute("COMMIT");
}

// By then the lock is ours again, so the transaction that went is committed or rolled back.
Result<bool> Session::committed(Patience& patience) {
  while (true) {
    if (Status status = connect(patience, Entry::kAgain); !status.ok()) {
      return fail(status.code(), status.message() +
                                     "; whether the last write is stored is not known before it is back: "
                                     "repeat it under the same key");
    }
    Statement query(*connection_, "SELECT batch FROM writers WHERE name = $1::bytea");
    Result<std::optional<std::int64_t>> batch =
        query.bind(name_).one([](const Statement& row) { return row.integer(0); });
    if (batch) return *batch == batch_;
    if (!connection_->lost()) return fail(batch.error());
  }
}

Status lock_writers(Connection& connection, const Clock& clock) {
  for (const char* writer : {"store", "events"}) {
    Patience patience(clock, kGoing);
    Result<bool> locked = try_lock(connection, writer);
    while (locked && !*locked && patience.pause()) locked = try_lock(connection, writer);
    if (!locked) return locked.error();
    if (!*locked) return in_use(connection.address());
  }
  return {};
}

}  // namespace holdfast::platform
