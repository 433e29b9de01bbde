#pragma once

// SseParser: the framing of text/event-stream, from bytes as they arrive. Frames, lines and characters may be
// split anywhere. Bounded: an event larger than the limit is an error, and the parser stays failed.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::net {

struct SseEvent {
  SseEvent() = default;
  std::string event;  // "message" when the frame names none
  std::string data;   // lines joined with \n
  std::string id;     // the last id seen
};

class SseParser {
 public:
  explicit SseParser(std::size_t max_event_bytes = 8 << 20) : max_event_bytes_(max_event_bytes) {}

  using Sink = std::function<void(SseEvent)>;
  // Calls `sink` for each complete event. A frame that is still open at the end of the stream is not an
  // event.
  Status feed(std::string_view bytes, const Sink& sink);

  // The last id that was named, by an event without data too; where a reader goes on after the stream broke.
  const std::string& last_id() const { return event_.id; }
  // How long it shall wait before, when the stream said so.
  std::optional<std::chrono::milliseconds> retry() const { return retry_; }

 private:
  Status end_line(const Sink& sink);
  void field(std::string_view name, std::string_view value);

  const std::size_t max_event_bytes_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool first_line_ = true;
  bool after_cr_ = false;
  bool failed_ = false;
  std::optional<std::chrono::milliseconds> retry_;
};

}  // namespace holdfast::net
