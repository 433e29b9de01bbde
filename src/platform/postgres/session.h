#pragma once

// Session: the one connection that writes for a part of the store ("store", "events"), and keeps every other
// server from it. Private to this room.
//
// Three things make it the only writer. An advisory lock, held as long as the connection lives, keeps a
// second server from starting. An epoch in the table `writers`, which each opener raises, is compared in
// every transaction: a server that lost its connection, and in the meantime its place, changes nothing and
// stops. The row that holds it is locked by that comparison, so transactions of writers follow each other.
//
// The connection may go at any moment. What was under way is then done again on the next one; when it went
// between a commit and its answer, the number of the transaction, which the same row holds, says whether it
// was committed. Whoever waits longer than the patience gets UNAVAILABLE.
//
// Used by one thread at a time.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform_postgres/patience.h"
#include "postgres/connection.h"

namespace holdfast::platform {

using postgres::Connection;

struct SessionOptions {
  const Clock* clock = nullptr;
  postgres::Address address{};
  postgres::Limits limits{};
  std::chrono::milliseconds patience{10'000};
  // Another server has taken the store: gets a message and stops the process.
  std::function<void(const std::string&)> fatal{};
};

class Session {
 public:
  // UNAVAILABLE (kLocked) when another server has it, after the patience.
  static Result<std::unique_ptr<Session>> open(SessionOptions options, std::string name);

  // Runs `work` in a transaction, perhaps more than once; OK when it is durable. What it says is final unless
  // the connection went.
  Status transact(const std::function<Status(Connection&)>& work);

 private:
  Session(SessionOptions options, std::string name) : options_(std::move(options)), name_(std::move(name)) {}
  enum class Entry : std::uint8_t { kFirst, kAgain };
  // A connection on which we are the writer.
  Status connect(Patience& patience, Entry entry);
  Status enter(Connection& connection, Entry entry);
  Result<bool> lock(Connection& connection);
  Status raise_epoch(Connection& connection);
  Status check_epoch(Connection& connection);
  Status taken_over();
  Status attempt(const std::function<Status(Connection&)>& work);
  Result<bool> committed(Patience& patience);

  const SessionOptions options_;
  const std::string name_;
  std::unique_ptr<Connection> connection_;
  int backend_ = 0;  // of the last connection that was the writer's
  std::int64_t epoch_ = 0;
  std::int64_t batch_ = 0;
  bool committing_ = false;
  bool over_ = false;
};

// For the length of a migration: nobody is the writer, and nobody becomes it.
Status lock_writers(Connection& connection, const Clock& clock);

}  // namespace holdfast::platform
