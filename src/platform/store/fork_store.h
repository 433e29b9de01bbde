#pragma once

// ForkStore: the part of a platform store that lets a conversation go on from any place of it on a branch of
// its own. Every store has it (fork_store_of). Thread-safe; failures are those of platform/store.h.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::platform {

// How far a run has come in its conversation.
struct RunSpan {
  RunSpan() = default;
  Reference first;  // behind the first messages that it added
  Reference last;   // and behind the last ones
};

class ForkStore {
 public:
  virtual ~ForkStore() = default;

  // Store::commit_step for the step that begins a fork: opens a branch behind `expected`, whatever is there
  // already, and adds the messages to it, which may be none. What is before it is not copied. The record has
  // the place where the branch stands.
  virtual Result<StepRecord> commit_fork(const StepWrite& write) = 0;

  // By its steps. None: it has said nothing yet, or its history is gone.
  virtual Result<std::optional<RunSpan>> run_span(std::string_view run) = 0;
  // What the run's own calls of models used whose answers stand at `sequence` or before.
  virtual Result<UsageTotal> usage_until(std::string_view run, std::uint64_t sequence) = 0;
  // Runs that take up this one or were forked from it, by run id. `after`: the last one of the page before.
  virtual Result<std::vector<Origin>> descendants(std::string_view run, std::string_view after,
                                                  std::uint32_t limit) = 0;
};

// Of a store of ours; all of them are.
ForkStore& fork_store_of(Store& store);

}  // namespace holdfast::platform
