#pragma once

// The methods that read histories. The page token names the run, so that pages belong to the run the first
// one was of, whatever has followed it since. Made and owned by the core; its thread only.

#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

class HistoryReader;
class HistoryWaiters;
class Replies;
class RunCache;

class HistoryHandlers {
 public:
  HistoryHandlers(RunCache& cache, const HistoryReader& reader, HistoryWaiters& history_waiters,
                  Replies& replies)
      : cache_(cache), reader_(reader), history_waiters_(history_waiters), replies_(replies) {}

  void get(Call& call, const ws::GetWorkflowExecutionHistoryRequest& request,
           const stored::NamespaceRecord& record);
  // The newest events first.
  void get_reverse(Call& call, const ws::GetWorkflowExecutionHistoryReverseRequest& request,
                   const stored::NamespaceRecord& record);

 private:
  RunCache& cache_;
  const HistoryReader& reader_;
  HistoryWaiters& history_waiters_;
  Replies& replies_;
};

}  // namespace holdfast::engine
