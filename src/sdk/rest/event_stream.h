#pragma once

// EventStream: reads a stream of server-sent events of the API and goes on behind the last event that was
// given out, however often the connection or the server goes away: events are neither lost nor repeated,
// because each carries its cursor. One reader; the HttpClient's thread fills, next() takes. It reconnects
// only when connect() is called: how long to wait, and whether to, is the reader's decision.
//
// Bounded: an event has at most kMaxEventBytes; when the reader lags by kMaxWaitingBytes the connection is
// dropped, and the next one goes on where the reader is.

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "holdfast/seams.h"
#include "rest/api_client.h"

namespace holdfast::rest {

struct Event {
  std::string id;      // the cursor
  std::string type;    // "message" when the stream names none
  Json data;           // discarded when it is no JSON
  MonotonicTime seen;  // when it arrived
};

class EventStream {
 public:
  static constexpr std::size_t kMaxEventBytes = 32 << 20;
  static constexpr std::size_t kMaxWaitingBytes = 64 << 20;

  // Behind `cursor`; empty: from the beginning. Borrows all three.
  EventStream(const ApiClient& api, const Clock& clock, std::string path, std::string cursor = {});
  ~EventStream() { disconnect(); }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Ends the connection that is there and makes a new one, at the client's present address.
  void connect();
  // Events that have arrived and were not taken are dropped with the connection: they come again with the
  // next.
  void disconnect();
  // The next event. None: nothing came in time, or the connection has ended and everything is taken.
  std::optional<Event> next(std::chrono::milliseconds at_most);
  // The connection is there, or has left events to take.
  bool connected() const;
  // HTTP's, of this connection; 0: no response yet.
  int status() const;
  // Why this connection ended, when it was refused, failed or broken off.
  std::optional<ApiError> error() const;
  // Of the last event that was given out.
  const std::string& cursor() const { return cursor_; }

 private:
  struct Connection;

  const ApiClient& api_;
  const Clock& clock_;
  const std::string path_;
  std::string cursor_;
  std::shared_ptr<Connection> connection_;
  std::stop_source stop_;
};

}  // namespace holdfast::rest
