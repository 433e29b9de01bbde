#pragma once

// EventSource: what a connection with Server-Sent Events is fed with, from a watch of runs.
//
// Lives on the stream's executor, except the wake-up from the logs. Internal to the module.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "runs/runs.h"

namespace holdfast::http {

// `data` of an event is JSON text of ours: it goes out as it is.
std::string event_json(const platform::Event& event);

// The id of an event on a stream of several logs: compact names of logs and their cursors. None: the text is
// no such id.
std::string join_cursors(const runs::RunWatch::Place& place);
std::optional<runs::RunWatch::Place> split_cursors(std::string_view text);

class EventSource {
 public:
  // `single`: one log, whose own cursors are the ids of the events; the stream ends behind the log's last.
  explicit EventSource(bool single) : single_(single) {}

  Status open(runs::Runs& runs, const std::vector<std::string>& logs,
              const std::optional<runs::RunWatch::Place>& from);
  // Wakes the stream when the logs have something.
  void bind(const std::shared_ptr<Stream>& stream) { wake_->bind(stream); }
  // As Stream::Source.
  std::optional<std::string> next();

  // Connects the logs' threads with a stream that may not exist yet, or not any more.
  class Wake {
   public:
    void bind(std::shared_ptr<Stream> to);
    void call();

   private:
    std::mutex mutex_;
    std::weak_ptr<Stream> stream_;  // guarded by mutex_
  };

 private:
  void append(std::string& out, const std::string& log, const platform::Event* event);
  std::string id() const;

  bool single_;
  bool greeted_ = false;
  bool over_ = false;  // the last event of the only log is out
  std::shared_ptr<Wake> wake_ = std::make_shared<Wake>();
  std::unique_ptr<runs::RunWatch> watch_;
};

}  // namespace holdfast::http
