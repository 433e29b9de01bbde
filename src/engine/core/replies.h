#pragma once

// Replies: answers on their way out. They leave with the next batch, once it is durable (law 3), but for the
// workflow tasks of a worker in this very process, which leave at once. What may be large is taken from the
// memory of who asked, or refused. The core owns it; its thread only.

#include <utility>
#include <vector>

#include "base/memory_budget.h"
#include "engine/core.h"
#include "engine/errors.h"
#include "engine/large_payloads.h"

namespace holdfast::engine {

class Replies {
 public:
  void send(Call& call, api::MessagePtr response) { send_result(call, std::move(response)); }
  void send(Call& call, Status status) { send_result(call, fail(std::move(status))); }
  void send_result(Call& call, Result<api::MessagePtr> result) {
    awaited_ |= !(call.options.in_process_workflow_worker && is_report(call.method));
    add(releases_, call, std::move(result));
  }
  // Law 3's exception: the receiver is part of this process, and the answer pure.
  void send_early(Call& call, api::MessagePtr response) { add(early_, call, std::move(response)); }

  bool empty() const { return releases_.empty(); }
  // Somebody goes on only when the next batch is durable.
  bool awaited() const { return awaited_; }
  std::vector<Release> take() {
    awaited_ = false;
    return std::exchange(releases_, {});
  }
  std::vector<Release> take_early() { return std::exchange(early_, {}); }

 private:
  // A call has so much in any case.
  static constexpr std::size_t kSmallReplyBytes = 4 << 10;

  // Those that change nothing and can be asked again. Whoever is refused an answer to anything else would not
  // know what became of it.
  static bool is_read(api::Method method) {
    using enum api::Method;
    return method == kGetWorkflowExecutionHistory || method == kGetWorkflowExecutionHistoryReverse ||
           method == kDescribeWorkflowExecution || method == kQueryWorkflow ||
           method == kPollWorkflowExecutionUpdate || method == kListNamespaces;
  }
  // A worker tells how its task ended. One in this very process does nothing differently for the answer,
  // where it says so.
  static bool is_report(api::Method method) {
    using enum api::Method;
    return method == kRespondWorkflowTaskCompleted || method == kRespondWorkflowTaskFailed ||
           method == kRespondActivityTaskCompleted || method == kRespondActivityTaskFailed ||
           method == kRespondActivityTaskCanceled;
  }
  static Status reserve(Call& call, const api::Message& response) {
    const std::size_t bytes = response.ByteSizeLong() + static_cast<std::size_t>(bytes_to_fill(response));
    if (bytes <= kSmallReplyBytes) return {};
    HeldMemory& memory = *call.options.memory;
    Status full = memory.resize(memory.bytes() + bytes);
    return full.ok() ? full
                     : errors::exhausted(full.message(), enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
  }

  static void add(std::vector<Release>& to, Call& call, Result<api::MessagePtr> result) {
    if (result && call.options.memory != nullptr && is_read(call.method)) {
      if (Status full = reserve(call, **result); !full.ok()) result = fail(std::move(full));
    }
    Release& release = to.emplace_back();
    release.done = std::move(call.done);
    release.executor = call.options.executor;
    release.result = std::move(result);
  }

  std::vector<Release> releases_;
  std::vector<Release> early_;
  bool awaited_ = false;
};

}  // namespace holdfast::engine
