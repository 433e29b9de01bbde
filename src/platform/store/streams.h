#pragma once

// Streams: what a person watches while a run works. Per run one durable log of events in one order: token
// deltas and everything else that a page shows. It lives in a file of its own, so that tokens never wait
// behind a transaction.
//
// A delta is buffered and committed with all others at most kFlushInterval later, and so is an event that may
// be lost by a crash; any other is committed at once, with what is buffered before it. Readers and
// subscribers see only what is committed, so nothing that was shown can be lost by a crash; a subscriber that
// wants text at once sees it before, under no cursor (Deltas). Thread-safe.
//
// Two cursors:
//  - of the log: Event::cursor, opaque text, made to be an SSE event id (`Last-Event-ID`);
//  - of one token stream: (attempt, offset in bytes), for a reader of a single step.
// A cursor that does not belong to the log as it is now (file replaced, run unknown) reads from the
// beginning, and the page says `reset`: the reader drops what it has.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::platform {

inline constexpr std::chrono::milliseconds kFlushInterval{50};
inline constexpr std::size_t kMaxBufferedBytes =
    8 << 20;  // of all runs, waiting for the disk; beyond it whoever adds to them waits
inline constexpr std::size_t kMaxQueuedEvents =
    1024;  // per subscriber; beyond it the subscriber reads from the log
inline constexpr std::size_t kMaxEventBytes = 4 << 20;

inline constexpr std::string_view kDeltaEvent = "delta";
// The key of a log's last event: what comes after it, from an activity that does not know yet, is dropped.
inline constexpr std::string_view kClosingKey = "run.closed";

struct Event {
  Event() = default;
  std::string run;
  // From 1, without gaps, per run. 0: text that is not committed yet, which has no cursor either.
  std::uint64_t seq = 0;
  std::string type;  // kDeltaEvent, or the writer's own: "run.started", "message", "approval.requested", ...
  std::string data;  // JSON
  std::string cursor;
  WallTime at{};
};

// When a subscriber sees the text of a token stream.
enum class Deltas : std::uint8_t {
  kCommitted,
  // As it comes. What is committed of it later begins behind what was shown, and may have no text left;
  // should a crash come first, the text is said again, by another attempt or from the offset that its cursor
  // knows.
  kAtOnce,
};

struct EventPage {
  EventPage() = default;
  std::vector<Event> events;
  bool more = false;   // the log may have more behind these: read on
  bool reset = false;  // the cursor was unknown: these are from the beginning
  std::string cursor;  // where to go on, also when there are no events
};

struct Chunk {
  Chunk() = default;
  std::uint32_t attempt = 0;
  std::uint64_t offset = 0;  // bytes of text before it in this attempt
  std::string text;
};

struct ChunkPage {
  ChunkPage() = default;
  std::vector<Chunk> chunks;
  std::uint32_t attempt = 0;  // the newest
  std::uint64_t offset = 0;   // where to go on
  bool reset = false;  // another attempt than the reader's, or an offset beyond the end: drop what you have
};

// Where one attempt of one step writes its tokens. Not thread-safe; destroying it loses nothing.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // Text as the model sends it. Returns at once unless kMaxBufferedBytes wait for the disk.
  virtual Status append(std::string_view text) = 0;
  // Returns when everything appended is durable and visible.
  virtual Status flush() = 0;
};

// A live tail. Its callback runs on the thread that committed, or appended: it must only hand over (post,
// wake), never block. Destroying it waits for a callback that is running.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // What came since the last take, in order, at most kMaxQueuedEvents. A consumer that fell behind
  // simply gets the next page from the log: nothing is skipped. Empty: nothing new; on_ready will be called.
  virtual Result<EventPage> take() = 0;
};

class Streams {
 public:
  virtual ~Streams() = default;

  // Starts an attempt; a delta event {"step","attempt","reset":true} tells watchers to drop the text of the
  // one before. Its number there is at least what is asked for, more when that one has text already (reset,
  // fork, a worker that came back). Waits for the disk no more than append().
  virtual Result<std::unique_ptr<StreamWriter>> open(std::string_view run, std::string_view step,
                                                     std::uint32_t attempt) = 0;

  // Durable on return. With a `key`, the same (run, key) again writes nothing and gives the first event back:
  // use it for what an activity retry would repeat. FAILED_PRECONDITION: the log is closed.
  virtual Result<Event> publish(std::string_view run, std::string_view type, std::string_view json,
                                std::string_view key = {}) = 0;
  // The same, but durable only within kFlushInterval: for what a crash may take, since whoever does the work
  // again says it again. Waits only when kMaxBufferedBytes wait for the disk.
  virtual Status publish_soon(std::string_view run, std::string_view type, std::string_view json,
                              std::string_view key = {}) = 0;

  // Events after the cursor (empty: from the beginning), at most `limit`.
  virtual Result<EventPage> read(std::string_view run, std::string_view cursor, std::size_t limit) = 0;

  // The cursor behind the last event: where news begins.
  virtual Result<std::string> end(std::string_view run) = 0;

  virtual Result<ChunkPage> read_chunks(std::string_view run, std::string_view step, std::uint32_t attempt,
                                        std::uint64_t offset, std::size_t limit) = 0;

  // `on_ready` says that take() may have something, then stays quiet until a take() has come back empty: take
  // until it does. It is called before this returns, so that a consumer reads what is there.
  virtual Result<std::unique_ptr<Subscription>> subscribe(std::string_view run, std::string_view cursor,
                                                          Deltas deltas,
                                                          std::move_only_function<void()> on_ready) = 0;

  // The event that was published with this key.
  virtual Result<std::optional<Event>> find(std::string_view run, std::string_view key) = 0;
  // Runs that have a log, in the order of their ids, at most `limit` of those behind `after`. Not the feeds
  // of our own, whose names begin with "$".
  virtual Result<std::vector<std::string>> logs(std::string_view after, std::uint32_t limit) = 0;

  // Forgets the logs of these runs.
  virtual Status erase(const std::vector<std::string>& runs) = 0;
};

}  // namespace holdfast::platform
