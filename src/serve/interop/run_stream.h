#pragma once

// RunStream: what feeds one connection with a run, event by event (run_events.h), from a mark on.
//
// Lives on the stream's executor, except the wake-up from the log.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "interop/run_events.h"
#include "net/message.h"
#include "runs/runs.h"

namespace holdfast::interop {

class RunStream {
 public:
  // `behind`: the mark behind everything that was shown, the event included. Empty: more of the same event of
  // the log follows, and a reader who comes back must see it, too.
  using Seen = std::function<void(RunEvent&& event, const std::string& behind)>;

  Status open(runs::Runs& runs, const std::string& run, std::string_view mark);
  // Wakes the stream when the log has something.
  void bind(const std::shared_ptr<net::Stream>& stream) { wake_->bind(stream); }
  // Shows one batch. False: nothing is there now.
  Result<bool> take(const Seen& seen);
  std::string mark() const { return events_.mark(); }

 private:
  // Connects the log's threads with a stream that may not exist yet, or not any more.
  class Wake {
   public:
    void bind(std::shared_ptr<net::Stream> to);
    void call();

   private:
    std::mutex mutex_;
    std::weak_ptr<net::Stream> stream_;  // guarded by mutex_
  };

  RunEvents events_;
  std::vector<RunEvent> shown_;  // of one event of the log
  std::shared_ptr<Wake> wake_ = std::make_shared<Wake>();
  std::unique_ptr<runs::RunWatch> watch_;
};

// A stream with Server-Sent Events. `Source` has open streams `bind` them and `next` feed them.
template <typename Source>
void serve_stream(net::Responder responder, Executor& executor, net::Response head,
                  const std::shared_ptr<Source>& source) {
  head.content_type = "text/event-stream";
  head.headers.push_back({"X-Accel-Buffering", "no"});
  head.headers.push_back({"Cache-Control", "no-cache, no-transform"});
  auto stream = responder.stream(std::move(head), executor, [source] { return source->next(); });
  if (!stream) return;
  source->bind(stream);
  stream->wake();
}

// One JSON document that takes its time: until it comes the connection has blanks at most, so that a client
// who has gone is noticed.
template <typename Source>
void serve_document(net::Responder responder, Executor& executor, const std::shared_ptr<Source>& source) {
  auto stream = responder.stream({}, executor, [source] { return source->next(); });
  if (!stream) return;
  source->bind(stream);
  stream->wake();
}

// The end of a run that is over, as its log tells it; none: it is open, or nobody knows.
std::optional<RunEvent> end_of(const runs::RunDetails& details);

}  // namespace holdfast::interop
