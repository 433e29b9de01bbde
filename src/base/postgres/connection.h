#pragma once

// Connection: one session with a PostgreSQL server. With Statement (postgres/statement.h) and CopyIn the only
// code that speaks libpq.
//
// Not thread-safe: one user at a time, one statement at a time. No call waits longer than its limits: a
// server that is silent is a connection that is lost. Nothing throws; a Status says which server, why and
// what helps, and carries a StorageFault where the server is to blame. A failure of a lost connection is
// UNAVAILABLE; what the last statement did is then for the caller to find out, and the object is of no more
// use.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "postgres/address.h"

struct pg_conn;
struct pg_result;

namespace holdfast::postgres {

// The text of a statement that is there as long as the program, so that its address names what was prepared.
class Literal {
 public:
  consteval Literal(const char* text)
      : text_(text) {}  // NOLINT(google-explicit-constructor): a literal is one
  const char* text() const { return text_; }

 private:
  const char* text_;
};

struct Limits {
  std::chrono::seconds connect{5};
  std::chrono::milliseconds statement{30'000};  // the server ends it; a little later we no longer wait
};

class Connection {
 public:
  // UNAVAILABLE when the server is not there or does not let us in.
  static Result<std::unique_ptr<Connection>> open(const Address& address, const Limits& limits,
                                                  const Clock& clock);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Statements without parameters, separated by semicolons, in one message; rows are dropped.
  Status execute(const std::string& sql);
  // Rows that the last statement changed.
  std::int64_t affected() const { return affected_; }

  bool lost() const;
  bool in_transaction() const;
  // The process that serves us on the other side.
  int backend() const;
  const Address& address() const { return address_; }

 private:
  friend class Statement;
  friend class CopyIn;
  struct Free {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Free>;

  Connection(Address address, Limits limits, const Clock& clock)
      : address_(std::move(address)), limits_(limits), clock_(clock) {}
  Status begin_session();
  // What was sent leaves; the limit of the statement begins.
  Status flush();
  // Null with OK: there are no more.
  Result<Answer> next_answer();
  // Drops what is left of the answers.
  Status finish();
  Status wait(short events);
  Status lose(std::string_view why);
  Status failure(const pg_result* answer);
  Result<std::string> prepared(Literal sql);

  const Address address_;
  const Limits limits_;
  const Clock& clock_;
  pg_conn* pg_ = nullptr;
  bool lost_ = false;
  std::int64_t affected_ = 0;
  MonotonicTime deadline_;
  std::unordered_map<const char*, std::string> statements_;
};

// Runs `work() -> Status` in one transaction; nothing of it stays when it fails. What a lost connection means
// is up to the caller.
template <typename Work>
Status in_transaction(Connection& connection, Work work) {
  if (Status status = connection.execute("BEGIN"); !status.ok()) return status;
  Status status = work();
  if (status.ok()) status = connection.execute("COMMIT");
  if (!status.ok() && !connection.lost() && connection.in_transaction()) (void)connection.execute("ROLLBACK");
  return status;
}

}  // namespace holdfast::postgres
