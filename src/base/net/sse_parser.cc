#include "net/sse_parser.h"

#include "base/byte_order_mark.h"

#include <charconv>
#include <cstdint>

namespace holdfast::net {

Status SseParser::feed(std::string_view bytes, const Sink& sink) {
  if (failed_) return Status(Code::kFailedPrecondition, "the event stream was broken before");
  while (!bytes.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const std::size_t end = bytes.find_first_of("\r\n");
    const std::string_view piece = bytes.substr(0, end);
    if (line_.size() + event_.data.size() + piece.size() > max_event_bytes_) {
      failed_ = true;
      return Status(Code::kResourceExhausted,
                    "an event of the stream is larger than " + std::to_string(max_event_bytes_) + " bytes");
    }
    line_ += piece;
    if (end == std::string_view::npos) return {};
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (Status status = end_line(sink); !status.ok()) return status;
  }
  return {};
}

Status SseParser::end_line(const Sink& sink) {
  std::string line;
  line.swap(line_);
  std::string_view text = line;
  if (first_line_) {
    first_line_ = false;
    text = behind_byte_order_mark(text);
  }
  if (text.empty()) {
    SseEvent event = std::move(event_);
    event_ = {};
    event_.id = event.id;
    if (!has_data_) return {};
    has_data_ = false;
    event.data.pop_back();  // the newline behind the last line
    if (event.event.empty()) event.event = "message";
    sink(std::move(event));
    return {};
  }
  if (text.front() == ':') return {};
  const std::size_t colon = text.find(':');
  std::string_view value;
  if (colon != std::string_view::npos) {
    value = text.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
  }
  field(text.substr(0, colon), value);
  return {};
}

void SseParser::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    event_.data += value;
    event_.data += '\n';
    has_data_ = true;
  } else if (name == "event") {
    event_.event = value;
  } else if (name == "id" && value.find('\0') == std::string_view::npos) {
    event_.id = value;
  } else if (name == "retry") {
    std::uint32_t wait_ms = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), wait_ms);
    if (error == std::errc() && end == value.data() + value.size())
      retry_ = std::chrono::milliseconds(wait_ms);
  }
}

}  // namespace holdfast::net
