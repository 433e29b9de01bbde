#pragma once

// The oracle: what the server acknowledged, kept in a process that is never killed, and compared with what
// the server says afterwards. Thread-safe.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "api/messages.h"
#include "holdfast/status.h"

namespace holdfast::crash {

class Oracle {
 public:
  // Each records one acknowledgement; a contradiction to an earlier one is a violation at once.
  void started(const std::string& flow, const std::string& run_id);
  void signalled(const std::string& flow, const std::string& signal);
  void updated(const std::string& flow, const std::string& update, const std::string& outcome);
  void activity_completed(const std::string& flow, const std::string& activity, int attempt,
                          const std::string& result);
  void task_completed(const std::string& flow, std::int64_t started_event_id);
  // A worker was handed an attempt of an activity.
  void dispatched(const std::string& flow, const std::string& activity, int attempt);
  // A completion with the token of an attempt that is over was answered.
  void completed_again(const std::string& flow, const std::string& activity, const Status& answer);
  // Someone read this: every later read must begin with it.
  void history_read(const std::string& flow, const pb::history::v1::History& history);

  // The last word: a complete history after everything is over.
  void check_final(const std::string& flow, const pb::history::v1::History& history);

  void violation(const std::string& what);
  std::vector<std::string> violations() const;
  std::vector<std::string> flows() const;
  std::uint64_t acknowledged() const { return starts + signals + updates + completions; }

  std::atomic<std::uint64_t> starts{0}, signals{0}, updates{0}, completions{0}, tasks{0}, repeats_refused{0};

 private:
  struct Activity {
    int attempt = 0;
    std::string result;
  };
  struct Flow {
    std::string run_id;
    std::map<std::string, int> signals;  // acknowledged
    std::map<std::string, std::string> updates;
    std::map<std::string, Activity> activities;
    std::vector<std::int64_t> tasks;
    std::vector<std::string> events;  // the longest history anyone has read
  };
  struct Found;

  void compare_prefix(const std::string& flow, Flow& state, const pb::history::v1::History& history);
  void compare(const std::string& flow, const Flow& state, const Found& found);
  void record(std::string what);

  mutable std::mutex mutex_;
  std::map<std::string, Flow> flows_;    // guarded by mutex_
  std::vector<std::string> violations_;  // guarded by mutex_
};

}  // namespace holdfast::crash
