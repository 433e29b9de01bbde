#pragma once

// OutboxDelivery: what crosses executions. The sender's state says what is owed; a message carries it to the
// other execution, whose transition is idempotent by request id; the sender's next transition strikes it off.
// After a crash it is sent again.
//
// Messages run between transitions, never inside one, and never touch two executions in one transition. All
// shards of this core commit through one ordered stream of batches, so a message may run before its cause is
// durable: its effect cannot become durable earlier. Other calls may come between two messages of one
// execution, as between those of two. The core owns it; its thread only.

#include <string>

#include "api/messages.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class HistoryReader;
class Namespaces;
class NewIds;
class Outbox;
struct OutboxMessage;
class RunCache;
class Transitions;

class OutboxDelivery {
 public:
  OutboxDelivery(const EngineLimits& limits, const CoreClock& clock, NewIds& ids,
                 const Namespaces& namespaces, RunCache& cache, const HistoryReader& reader, Outbox& outbox,
                 Transitions& transitions)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        namespaces_(namespaces),
        cache_(cache),
        reader_(reader),
        outbox_(outbox),
        transitions_(transitions) {}

  // At most so many messages; how many it were. 0: nothing is owed.
  int deliver(int most);

 private:
  void deliver(const OutboxMessage& message);
  void start_child(const RunKey& from, std::int64_t initiated_event_id);
  std::string new_child(const stored::NamespaceRecord& record, Run& parent, const stored::ChildInfo& info,
                        const pb::history::v1::StartChildWorkflowExecutionInitiatedEventAttributes& from,
                        const pb::sdk::v1::UserMetadata* metadata);
  void signal(const RunKey& from, std::int64_t initiated_event_id);
  void request_cancel(const RunKey& from, std::int64_t initiated_event_id);
  void tell_parent(const RunKey& from);
  void close_child(const RunKey& from, const stored::ChildInfo& info);

  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  const Namespaces& namespaces_;
  RunCache& cache_;
  const HistoryReader& reader_;
  Outbox& outbox_;
  Transitions& transitions_;
};

}  // namespace holdfast::engine
