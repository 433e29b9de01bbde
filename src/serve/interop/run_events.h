#pragma once

// RunEvents: a run's log in the words that all protocols of the field share: text that grows, tools that are
// called and answer, people who are asked, an end. A protocol only writes these down in its own form.
//
// What must be remembered between two events (the text that is open, the calls that are under way) is part of
// the mark, beside the log's own cursor: a reader who comes back with a mark goes on exactly behind it, also
// in another process. Not thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "platform/streams.h"

namespace holdfast::interop {

struct RunEvent {
  enum class What : std::uint8_t {
    kStarted,      // the agent has begun
    kTextStart,    // id: one answer of the model, STEP.ATTEMPT
    kText,         // id, text: a piece
    kTextEnd,      // id
    kTextDropped,  // id: the model's answer broke off; what was shown of it does not count
    kToolCall,     // id: the step; name; text: the arguments, JSON. Perhaps a person is asked first
    kToolResult,   // id; name; text; is_error
    kApproval,     // id: the approval; call: the step; name: the tool; text: the arguments; a person is asked
    kDecided,      // id; call; name: the tool; text: the outcome
    kStage,        // name: the event of the log; text: its data. Whatever else is told
    kClosed,       // name: the run's status; text: the output, or the error; id: the error's type
  };
  What what = What::kStage;
  std::string id{};
  std::string call{};
  std::string name{};
  std::string text{};
  bool is_error = false;
  std::uint64_t seq = 0;  // of the log's event
};

class RunEvents {
 public:
  // As many calls are remembered to be open; the others' answers come with a call of their own before them.
  static constexpr std::size_t kMaxOpenCalls = 64;
  static constexpr std::size_t kMaxMarkBytes = 2048;

  using Seen = std::function<void(RunEvent&&)>;

  RunEvents() = default;
  // From where a mark says. What is no mark of ours begins anew.
  explicit RunEvents(std::string_view mark);

  // The log's cursor in the mark.
  const std::string& cursor() const { return cursor_; }
  void apply(const platform::Event& event, const Seen& seen);
  // The log begins anew: what was open is open no more.
  void reset(const Seen& seen);
  // Behind what was applied. Letters of URLs alone.
  std::string mark() const;

 private:
  void delta(const platform::Event& event, const Seen& seen);
  void step(const platform::Event& event, const Seen& seen);
  void model_done(const std::string& step, std::string_view text, const Seen& seen);
  void drop_text(const Seen& seen);
  void approval(const platform::Event& event, const Seen& seen);
  void closed(const platform::Event& event, const Seen& seen);

  std::string cursor_;
  std::string text_;         // STEP.ATTEMPT of the open one
  std::uint64_t bytes_ = 0;  // of it, shown
  std::set<std::string> calls_;
  std::uint64_t seq_ = 0;  // of the event that is applied
};

}  // namespace holdfast::interop
