#pragma once

// What the outside world was told, and whether the engine stands by it. The oracle sees every call as it
// arrives and every answer as it leaves the process (whether or not anybody receives it), and judges the
// histories at the end.
//
// Promises checked: an answered start, signal, update, completion is in the history, once, whatever crashed
// since; a start or signal that is repeated counts once; an activity has one terminal event, by the attempt
// that holds it, and is not handed out again after it; with one attempt allowed it is handed out once;
// heartbeat details survive; timers fire, and not early; what a reader saw of a history never changes; ids
// are dense and references right. (The server adds one, at every batch: a stored history gives its state.)

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/connection.h"
#include "api/messages.h"

namespace holdfast::sim {

using Events = std::vector<pb::history::v1::HistoryEvent>;

class Oracle {
 public:
  // What must be remembered of a call until its answer leaves.
  struct Note {
    std::string workflow_id;
    std::string key;    // signal, update or poll: what identifies it
    std::string token;  // of an activity task, or of a page
  };
  std::unique_ptr<Note> called(api::Method method, const api::Message& request) const;
  void answered(api::Method method, const std::unique_ptr<Note>& note, const Result<api::MessagePtr>& result,
                bool in_process);

  // The answer to a poll left for nobody: what it handed over was never handed out.
  void undelivered(api::Method method, const std::string& poller, const api::Message& answer);

  void violation(const std::string& what);
  const std::vector<std::string>& violations() const { return violations_; }

  // The final judgement over one run, over one that is not there, and, after all of them, over what belongs
  // to none. `first`: not the successor of another run.
  void judge(const std::string& workflow_id, const std::string& run_id, const Events& events, bool first);
  void judge_absent(const std::string& workflow_id);
  void judge_rest();

  const std::set<std::string>& runs_of(const std::string& workflow_id) { return started_[workflow_id]; }
  std::uint64_t promises() const { return promises_; }

 private:
  struct Handed {  // an activity task that left
    std::string run_id;
    std::string activity_id;
    std::int32_t attempt = 0;
    bool once = false;
  };
  struct Activity {
    std::int32_t failed_attempt = 0;  // the latest whose failure was acknowledged
    bool over = false;                // its end was acknowledged
    bool heartbeat = false;           // one was acknowledged
    std::int32_t handed_out = 0;
  };

  void refused(api::Method method, const Note& note, const Status& error);
  void poll_answered(const Note& note, const ws::PollActivityTaskQueueResponse& task);
  void see(const std::string& run_id, const Events& events);
  void judge_order(const std::string& run_id, const Events& events);
  void judge_workflow_tasks(const std::string& run_id, const Events& events);
  void judge_activities(const std::string& run_id, const Events& events);
  void judge_timers(const std::string& run_id, const Events& events);
  void judge_ends(const std::string& run_id);
  void judge_messages(const std::string& workflow_id, const Events& events);

  std::vector<std::string> violations_;
  std::map<std::string, std::set<std::string>> started_;                // workflow id -> run ids answered
  std::map<std::string, std::set<std::string>> signals_;                // workflow id -> acknowledged signals
  std::map<std::string, std::map<std::string, std::string>> updates_;   // workflow id -> update id -> outcome
  std::map<std::string, std::string> completed_tasks_;                  // workflow task identity -> run id
  std::map<std::string, Handed> handed_;                                // activity task token -> what it was
  std::set<std::string> gone_pollers_;                                  // of workflow tasks that nobody got
  std::map<std::string, std::string> activity_ends_;                    // identity -> run id
  std::map<std::pair<std::string, std::string>, Activity> activities_;  // run id, activity id
  std::map<std::string, std::int32_t> attempt_of_;        // identity of an activity poll -> attempt
  std::map<std::string, std::vector<std::string>> seen_;  // run id -> its history as far as anybody read it
  std::uint64_t promises_ = 0;
};

// The run that a history, which must not be empty, says it belongs to.
std::string run_of(const Events& events);
std::string bytes_of(const google::protobuf::Message& message);
std::string text_of(const pb::common::v1::Payloads& payloads);
pb::common::v1::Payloads payloads_of(const std::string& text);

}  // namespace holdfast::sim
