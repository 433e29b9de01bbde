#pragma once

// Conversation: one run of a code by a process of Monty, as the frames that go to it and come from it. Monty
// pauses where code asks for what is outside; here nothing is, and the code is told so where it asked. Pure:
// it reads and writes bytes. What comes is read as from an enemy.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::monty::v1 {
class Event;
}  // namespace holdfast::monty::v1

namespace holdfast::sandbox {

// Monty keeps the time by the wall's clock, not by the processor's: a busy machine shall fail nobody.
inline constexpr std::uint32_t kMontyTimeFactor = 4;

class Conversation {
 public:
  // `request` outlives it.
  explicit Conversation(const Request& request) : request_(request) {}

  // Whole frames: what it is told first. Or the inputs are none that it takes.
  std::expected<std::string, Failure> begin();
  // Of an event; a longer one is no use.
  std::size_t most_event_bytes() const;
  // An event has come, without its length: the frame that it is told then, or nothing, because more comes or
  // because it is over. DATA_LOSS: it is no event, or none that may come now.
  Result<std::string> hear(std::string_view event);
  bool is_over() const { return stage_ == Stage::kOver; }
  // `last`: the process is of no use any more.
  Reply take() { return std::move(reply_); }

 private:
  enum class Stage : std::uint8_t { kConfiguring, kRunning, kResetting, kOver };

  Result<std::string> hear_run(const monty::v1::Event& event);
  std::string answer_pause(const monty::v1::Event& event);
  void keep_log(std::string_view text);
  std::string finish();

  const Request& request_;
  Stage stage_ = Stage::kConfiguring;
  std::uint32_t pauses_ = 0;
  bool log_is_full_ = false;
  std::uint32_t log_lines_ = 0;  // that are left out
  bool log_has_tail_ = false;    // and one that has no end yet
  Reply reply_;
};

}  // namespace holdfast::sandbox
