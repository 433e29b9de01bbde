#include "platform/stream_tail.h"

namespace holdfast::platform {

void BufferedStreams::Tail::deliver(const Event& event) {
  std::lock_guard lock(mutex_);
  if (!lagging_) {
    // Committed before the reader last looked at the log, delivered after: it has that one.
    if (event.seq <= taken_) return;
    if (queue_.size() == kMaxQueuedEvents) {
      // Too slow: what the queue would not hold is read from the log later.
      queue_.clear();
      lagging_ = true;
    } else {
      queue_.push_back(event);
    }
  }
  wake();
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
  EventPage page;
  if (lagging_) {
    // Commits deliver under mutex_, so none can slip between this read and the end of lagging: an event
    // committed before the read is in the page, and one committed after it waits for the lock and then finds
    // the queue.
    Result<EventPage> read = streams_.read(run_, cursor_, kMaxQueuedEvents);
    if (!read) return read;
    page = std::move(*read);
    lagging_ = page.more;
    cursor_ = page.cursor;
    taken_ = streams_.log_->seq_of(run_, cursor_);
  } else {
    while (!queue_.empty()) {
      page.events.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    if (!page.events.empty()) {
      cursor_ = page.events.back().cursor;
      taken_ = page.events.back().seq;
    }
    page.cursor = cursor_;
  }
  if (page.events.empty() && !page.reset) asleep_ = true;
  return page;
}

}  // namespace holdfast::platform
