#pragma once

// SessionSource: what a connection with Server-Sent Events is fed with, from all runs of a session: one log behind the
// other, in the order of their turns, and those that come while it is open. The id of an event names its run and the
// place in that run's log, so that whoever comes back with it goes on exactly there, from any device.
//
// Lives on the stream's executor, except the wake-up from the logs. Internal to the module.

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "http/event_source.h"
#include "runs/session.h"

namespace holdfast::http {

class SessionSource {
 public:
  // The logs outlive it.
  SessionSource(runs::Runs& runs, std::string conversation)
      : runs_(runs), conversation_(std::move(conversation)) {}

  // From behind the event of that id. One that is not of this session: a `reset`, and everything from the beginning.
  Status open(std::string_view id);
  // Wakes the stream when there may be something.
  void bind(const std::shared_ptr<Stream>& stream) { wake_->bind(stream); }
  // As Stream::Source.
  std::optional<std::string> next();

 private:
  bool begin_next(std::string& out);
  // Of the run that is shown. False: there is nothing now.
  Result<bool> show(std::string& out);
  void hear(const platform::Event& news);
  std::string id_of(const std::string& cursor, bool over) const;

  runs::Runs& runs_;
  const std::string conversation_;
  std::shared_ptr<EventSource::Wake> wake_ = std::make_shared<EventSource::Wake>();
  std::unique_ptr<runs::RunWatch> feed_;
  std::unique_ptr<runs::RunWatch> shown_;  // null: between two runs
  std::string run_;                        // that is shown
  std::deque<std::string> waiting_;        // runs to be shown behind it
  std::set<std::string> known_;
  std::string cursor_;  // in the first of them
  bool greeted_ = false;
  bool reset_ = false;
};

}  // namespace holdfast::http
