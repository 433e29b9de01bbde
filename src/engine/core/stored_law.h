#pragma once

// For tests: the law of history/rebuild.h, asked of a store. Whatever a batch changed of an execution, its
// stored history gives its stored state, but for what is volatile. Knows the histories that it has seen, so
// that each event is applied once. One thread; the store must lose nothing that it has taken.

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "history/mutable_state.h"
#include "history/rebuild.h"
#include "history/volatile_state.h"
#include "store/keys.h"
#include "store/kv_store.h"

namespace holdfast::engine::testing {

class StoredLaw {
 public:
  explicit StoredLaw(const store::KvStore& store) : store_(store) {}

  // After the batch was committed: what is wrong with the executions that it changed, one line each.
  std::vector<std::string> look(const store::WriteBatch& batch) {
    std::vector<std::string> wrong;
    for (const auto& change : batch.changes()) {
      if (change.value) look_at(change.key, *change.value, &wrong);
    }
    return wrong;
  }

  // Every execution of the store. `seen` counts them.
  std::vector<std::string> look_at_all(int* seen) {
    std::vector<std::string> wrong;
    const Status scanned = store_.scan({}, {}, [&](std::string_view key, std::string_view value) {
      *seen += look_at(std::string(key), std::string(value), &wrong) ? 1 : 0;
      return true;
    });
    HF_CHECK(scanned.ok());
    return wrong;
  }

 private:
  // False: not the row of a state.
  bool look_at(const std::string& key, const std::string& value, std::vector<std::string>* wrong) {
    namespace keys = store::keys;
    keys::ExecutionRow row;
    if (!keys::parse_execution(key, row) || !row.state) return false;
    history::StateReader reader;
    if (!reader.state(value)) return false;
    const std::string ns = reader.head().namespace_id();
    const std::string workflow = reader.head().workflow_id();
    const std::string run = reader.head().run_id();
    if (key != keys::execution_state(ns, workflow, run)) return false;
    std::string problem = read_parts(ns, workflow, run, reader);
    const history::stored::ExecutionState state = history::MutableState(std::move(reader)).whole();
    auto& rebuild = known_.try_emplace(key, history::facts_of(state)).first->second;
    const Status scanned =
        store_.scan(keys::history_page(ns, workflow, run, rebuild.state().next_event_id()),
                    keys::history_page(ns, workflow, run, std::numeric_limits<std::int64_t>::max()),
                    [&](std::string_view, std::string_view bytes) {
                      pb::history::v1::History page;
                      if (!page.ParseFromString(std::string(bytes))) problem = "a page does not parse";
                      for (const auto& event : page.events()) {
                        if (Status status = rebuild.add(event); !status.ok() && problem.empty())
                          problem = status.message();
                      }
                      return problem.empty();
                    });
    HF_CHECK(scanned.ok());
    if (problem.empty()) problem = rebuild.difference(state);
    if (!problem.empty()) {
      wrong->push_back("the history of " + workflow + " " + run + " does not give its state: " + problem);
    }
    return true;
  }

  std::string read_parts(const std::string& ns, const std::string& workflow, const std::string& run,
                         history::StateReader& reader) {
    namespace keys = store::keys;
    std::string problem;
    const Status scanned =
        store_.scan(keys::state_parts_begin(ns, workflow, run), keys::state_parts_end(ns, workflow, run),
                    [&](std::string_view key, std::string_view bytes) {
                      keys::PartName part;
                      if (!keys::parse_state_part(key, part) || !reader.part(part.kind, part.n, bytes))
                        problem = "a part of it that cannot be read, or that it does not count";
                      return problem.empty();
                    });
    HF_CHECK(scanned.ok());
    if (problem.empty() && reader.missing() > 0) problem = "parts of it are missing";
    return problem;
  }

  const store::KvStore& store_;
  std::map<std::string, history::Rebuild> known_;
};

}  // namespace holdfast::engine::testing
