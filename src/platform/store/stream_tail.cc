#include "platform/stream_tail.h"

namespace holdfast::platform {

void BufferedStreams::Tail::deliver(const Event& event, const std::optional<Piece>& piece) {
  std::lock_guard lock(mutex_);
  if (!lagging_) {
    // Committed before the reader last looked at the log, delivered after: it has that one.
    if (event.seq <= taken_) return;
    if (queue_.size() == kMaxQueuedEvents) {
      // Too slow: what the queue would not hold is read from the log later.
      queue_.clear();
      lagging_ = true;
    } else {
      add(event, piece);
    }
  }
  wake();
}

void BufferedStreams::Tail::show(const Event& event, const Piece& piece) {
  std::lock_guard lock(mutex_);
  if (!wants_text() || lagging_ || queue_.size() == kMaxQueuedEvents) return;
  // What is before it has not come yet, or this came with a commit that was faster.
  if (!queued_.goes_on_with(piece)) return;
  add(event, piece);
  wake();
}

void BufferedStreams::Tail::add(const Event& event, const std::optional<Piece>& piece) {
  if (piece && wants_text()) queued_.give(*piece, event.seq != 0);
  queue_.push_back({event, piece});
}

void BufferedStreams::Tail::wake() {
  if (!asleep_ || !on_ready_) return;
  asleep_ = false;
  on_ready_();
}

void BufferedStreams::Tail::read_log() {
  std::lock_guard lock(mutex_);
  queue_.clear();
  lagging_ = true;
  wake();
}

Result<EventPage> BufferedStreams::Tail::take() {
  std::lock_guard lock(mutex_);
  Result<EventPage> page = lagging_ ? take_from_log() : take_from_queue();
  if (page && page->events.empty() && !page->reset) asleep_ = true;
  return page;
}

// Commits deliver under mutex_, so none can slip between this read and the end of lagging: an event committed
// before the read is in the page, and one committed after it waits for the lock and then finds the queue.
Result<EventPage> BufferedStreams::Tail::take_from_log() {
  Result<EventPage> page = streams_.read(run_, cursor_, kMaxQueuedEvents);
  if (!page) return page;
  lagging_ = page->more;
  cursor_ = page->cursor;
  taken_ = streams_.log_->seq_of(run_, cursor_);
  if (!wants_text()) return page;
  if (page->reset) given_.clear();
  for (Event& event : page->events) {
    if (const auto piece = piece_of(event)) leave_out_given(event, *piece, given_);
  }
  queued_ = given_;
  return page;
}

EventPage BufferedStreams::Tail::take_from_queue() {
  EventPage page;
  for (; !queue_.empty(); queue_.pop_front()) {
    auto& [event, piece] = queue_.front();
    if (event.seq != 0) {
      cursor_ = event.cursor;
      taken_ = event.seq;
      if (piece && wants_text()) leave_out_given(event, *piece, given_);
    } else {
      given_.give(*piece, false);
    }
    page.events.push_back(std::move(event));
  }
  page.cursor = cursor_;
  return page;
}

}  // namespace holdfast::platform
