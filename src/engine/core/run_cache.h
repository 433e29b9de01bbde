#pragma once

// RunCache: executions in memory, read from the store when they are asked for. Bounded by number and by bytes
// (EngineLimits::cached_executions, cached_bytes): the least recently used go first, but none with changes
// that are not durable, none that somebody waits for, and none whose memory is more than its rows. What nobody
// has asked for lately goes as well: an execution that waits for days costs its deadline and no more. The core
// owns it; its thread only. A pointer to a run is good until the next committed() or let_idle_go().

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/run.h"

namespace holdfast::engine {

struct EngineLimits;
class Rows;
class WakeTimes;

class RunCache {
 public:
  RunCache(const EngineLimits& limits, Rows& rows, WakeTimes& wakes)
      : limits_(limits), rows_(rows), wakes_(wakes) {}

  // Memory, then the store. Null: no such run. DATA_LOSS: it is there, and cannot be read.
  Result<Run*> load(const RunKey& key);
  // For who has nothing to say to a run that cannot be read: null, too.
  Run* find(const RunKey& key) { return load(key).value_or(nullptr); }
  // The run that a request names, or the error that says why there is none.
  Result<Run*> resolve(const std::string& namespace_id, const RunName& name);
  // The last run of a workflow id; DATA_LOSS as above.
  Result<std::optional<stored::CurrentRun>> current(const std::string& namespace_id,
                                                    const std::string& workflow_id);
  void set_current(const std::string& namespace_id, const std::string& workflow_id, stored::CurrentRun row);
  // The workflow id has no last run any more.
  void drop_current(const std::string& namespace_id, const std::string& workflow_id);
  // The run is no more; it has no unsaved changes, and nobody waits for it.
  void remove(Run& run) { forget(run); }
  // A run that exists nowhere yet; it becomes the current one of its workflow id.
  Run& create(std::unique_ptr<MutableState> ms);

  // It goes into the next batch, and its next deadline counts.
  void touch(Run& run);
  bool touched() const { return !dirty_.empty(); }
  // For the next batch, once each.
  std::vector<Run*> take_touched();

  // A page of history that the next batch stores; old pages of a long history leave memory.
  void add_page(Run& run, Page page);
  // What the run takes in memory, once it was read or stored.
  void weigh(Run& run);
  // Its close is part of the batch. A few of the last runs that closed stay at hand, the others leave memory
  // as soon as they may: most are never asked about again.
  void closed(const Run& run, std::uint64_t sequence);

  // Batches up to here are durable; what is too much may go. Bounded work: the next call goes on.
  void committed(std::uint64_t sequence);

  // Time has passed: whoever drives the core says so from time to time.
  void age() { ++age_; }
  // What was not asked for during kIdleAges goes, after a look at `most` of them. True: there may be more.
  bool let_idle_go(std::size_t most);
  static constexpr std::uint64_t kIdleAges = 3;

  std::size_t size() const { return runs_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  Run& insert(std::unique_ptr<Run> run);
  bool read_parts(const RunKey& key, history::StateReader& reader) const;
  bool may_go(const Run& run) const;
  void use(Run& run);
  void pass_over(Run& run);
  void forget(Run& run);
  void let_closed_go();

  const EngineLimits& limits_;
  Rows& rows_;
  WakeTimes& wakes_;
  std::uint64_t committed_ = 0;
  std::uint64_t age_ = 0;
  std::map<RunKey, std::unique_ptr<Run>> runs_;
  std::list<Run*> lru_;    // most recent first
  std::size_t bytes_ = 0;  // states as they were last stored, and pages: what they take in memory
  std::deque<std::pair<std::uint64_t, RunKey>> closed_;                         // with the batch that says so
  std::map<std::pair<std::string, std::string>, stored::CurrentRun> currents_;  // of cached runs
  std::vector<Run*> dirty_;
};

}  // namespace holdfast::engine
