#pragma once

// Client: a session that belongs to a statement of somebody else: its parameters and results are texts in
// PostgreSQL's own notation, its time is limited as a whole, and it can be stopped from inside. Where our own
// rows are kept, use Connection and Statement.
//
// Not thread-safe: one user, one statement at a time. Nothing throws. A failure tells what the server said,
// and whether the connection is lost; what a lost one did last is for the caller to find out.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/seams.h"

struct pg_conn;
struct pg_result;

namespace holdfast::postgres {

struct ClientOptions {
  std::map<std::string, std::string> parameters;  // libpq's; none is taken from the environment
  std::chrono::milliseconds timeout{30'000};      // of everything from opening to closing
  std::size_t max_row_bytes = 16 << 20;
  // About every `beat_every` while the server is waited for. True: stop.
  std::chrono::milliseconds beat_every{500};
  std::function<bool()> beat;
};

struct ClientError {
  enum class Kind : std::uint8_t {
    kRefused,  // the server says no
    kPassing,  // it may say yes another time
    kLost,     // there is no connection (any more)
    kExpired,  // `timeout` is over
    kStopped,  // by `beat`
    kTooLarge,
  };
  Kind kind = Kind::kRefused;
  std::string message;  // the server's first words
};

// A value of a row; none: NULL.
using Text = std::optional<std::string>;

struct ClientRow {
  std::vector<std::string> names;    // of the columns
  std::vector<std::uint32_t> types;  // pg_type's oids
  std::vector<std::optional<std::string_view>> values;
};

class Client {
 public:
  static std::unique_ptr<Client> open(ClientOptions options, const Clock& clock, ClientError& error);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One statement. `on_columns` hears of an answer with rows, `on_row` of each; it may say that it has enough
  // (false): the server is told so, and the client is of no more use. None: it went well.
  std::optional<ClientError> run(const std::string& sql, const std::vector<Text>& parameters,
                                 const std::function<bool(const ClientRow&)>& on_row = {},
                                 const std::function<void(const ClientRow&)>& on_columns = {});
  // What the last statement was, "INSERT", and how many rows it changed or gave.
  const std::string& command() const { return command_; }
  std::int64_t affected() const { return affected_; }
  bool in_transaction() const;

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Free>;

  Client(ClientOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
  std::optional<ClientError> connect();
  // Until the socket is ready, the time is over or somebody stops it.
  std::optional<ClientError> wait(short events);
  std::optional<ClientError> flush();
  std::optional<ClientError> next(Answer& answer);
  std::optional<ClientError> take(const pg_result* answer,
                                  const std::function<bool(const ClientRow&)>& on_row,
                                  const std::function<void(const ClientRow&)>& on_columns, bool& wanted);
  void note_command(pg_result* answer);
  // Asks the server to end what it does for us, and waits a little for it to.
  ClientError give_up(ClientError::Kind kind, std::string message);
  ClientError too_large();
  ClientError lost() const;
  ClientError failure(const pg_result* answer) const;

  const ClientOptions options_;
  const Clock& clock_;
  MonotonicTime deadline_;
  MonotonicTime next_beat_;
  pg_conn* pg_ = nullptr;
  std::string command_;
  std::int64_t affected_ = 0;
  std::size_t row_bytes_ = 0;  // that came since the last row, at least
};

}  // namespace holdfast::postgres
