#include "engine/visibility_lists.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "api/messages.h"
#include "base/memory_budget.h"
#include "engine/errors.h"

namespace holdfast::engine {
namespace {

Status scan_error(Status status, bool stopping) {
  if (status.code() != Code::kCancelled) return status;
  if (stopping) return {Code::kUnavailable, "The server is shutting down; try again."};
  return {Code::kDeadlineExceeded,
          "The query looks through too many executions for the time it has; narrow it, for example by "
          "WorkflowType, "
          "ExecutionStatus or CloseTime."};
}

void send(Output::VisibilityCall& call, Result<api::MessagePtr> result) {
  if (HeldMemory* memory = call.call.options.memory; result && memory != nullptr) {
    Status full = memory->resize(memory->bytes() + (*result)->ByteSizeLong());
    if (!full.ok())
      result = fail(errors::exhausted(full.message(), enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED));
  }
  Release{std::move(call.call.done), call.call.options.executor, std::move(result)}.run();
}

// The answers to all kinds of lists have the same two fields.
template <typename Response>
api::MessagePtr list_response(visibility::ListResult found) {
  auto response = std::make_unique<Response>();
  for (auto& info : found.executions) {
    info.mutable_memo();  // also an empty one, as Temporal's lists have it
    response->add_executions()->Swap(&info);
  }
  response->set_next_page_token(std::move(found.next_page_token));
  return response;
}

api::MessagePtr list_response(api::Method method, visibility::ListResult found) {
  using api::Method;
  switch (method) {
    case Method::kScanWorkflowExecutions:
      return list_response<ws::ScanWorkflowExecutionsResponse>(std::move(found));
    case Method::kListOpenWorkflowExecutions:
      return list_response<ws::ListOpenWorkflowExecutionsResponse>(std::move(found));
    case Method::kListClosedWorkflowExecutions:
      return list_response<ws::ListClosedWorkflowExecutionsResponse>(std::move(found));
    default: return list_response<ws::ListWorkflowExecutionsResponse>(std::move(found));
  }
}

}  // namespace

void VisibilityLists::start(std::uint64_t applied) {
  applied_ = applied;
  for (std::thread& thread : threads_) {
    thread = std::thread([this] { loop(); });
    pthread_setname_np(thread.native_handle(), "lists");
  }
}

void VisibilityLists::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void VisibilityLists::add(Output::VisibilityCall call, std::uint64_t end) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({std::move(call), end, attempt_, clock_.monotonic()});
  }
  wake_.notify_one();
}

void VisibilityLists::feed_begins() {
  std::lock_guard lock(mutex_);
  ++attempt_;
}

void VisibilityLists::feed_applied(std::uint64_t sequence) {
  {
    std::lock_guard lock(mutex_);
    applied_ = sequence;
  }
  wake_.notify_all();
}

void VisibilityLists::feed_failed(const Status& status) {
  {
    std::lock_guard lock(mutex_);
    failed_ = attempt_;
    failure_ = status;
  }
  wake_.notify_all();
}

Status VisibilityLists::refusal(const Waiting& waiting) const {
  if (waiting.attempt < failed_) return failure_;
  const auto waited = std::chrono::nanoseconds(clock_.monotonic() - waiting.since);
  if (waited.count() >= limits_.wait_ns) {
    return {Code::kUnavailable,
            fmt::format("The visibility index is {} changes behind; try again in a moment.",
                        waiting.end - 1 - applied_)};
  }
  if (stopping_) return {Code::kUnavailable, "The server is shutting down; try again."};
  return {};
}

void VisibilityLists::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (queue_.empty()) {
      if (stopping_) return;
      wake_.wait(lock);
      continue;
    }
    const bool ready = queue_.front().end <= applied_ + 1;
    const Status refused = ready ? Status() : refusal(queue_.front());
    if (!ready && refused.ok()) {
      const auto until = queue_.front().since + std::chrono::nanoseconds(limits_.wait_ns);
      wake_.wait_for(lock, until - clock_.monotonic());
      continue;
    }
    Output::VisibilityCall call = std::move(queue_.front().call);
    queue_.pop_front();
    lock.unlock();
    send(call, ready ? evaluate(call) : fail(refused));
    lock.lock();
  }
}

Result<api::MessagePtr> VisibilityLists::evaluate(const Output::VisibilityCall& call) const {
  MonotonicTime until = clock_.monotonic() + std::chrono::nanoseconds(limits_.scan_ns);
  if (const auto& deadline = call.call.options.deadline) until = std::min(until, *deadline);
  visibility::ListRequest list;
  list.namespace_id = call.namespace_id;
  list.query = call.query;
  for (const auto& [name, type] : call.search_attributes) {
    if (const auto known = visibility::attribute_type(type)) list.custom_attributes.emplace(name, *known);
  }
  list.stop = [this, until] { return stopping_ || clock_.monotonic() >= until; };
  if (call.kind == Output::VisibilityCall::Kind::kList) {
    list.page_size = static_cast<std::uint32_t>(std::max(call.page_size, 0));
    list.page_token = call.page_token;
    auto found = index_.list(list);
    if (!found) return fail(scan_error(std::move(found.error()), stopping_));
    return list_response(call.call.method, std::move(*found));
  }
  auto counted = index_.count(list);
  if (!counted) return fail(scan_error(std::move(counted.error()), stopping_));
  auto response = std::make_unique<ws::CountWorkflowExecutionsResponse>();
  response->set_count(static_cast<std::int64_t>(counted->count));
  for (const auto& group : counted->groups) {
    auto& out = *response->add_groups();
    out.set_count(static_cast<std::int64_t>(group.count));
    auto& value = *out.add_group_values();
    (*value.mutable_metadata())["encoding"] = "json/plain";
    (*value.mutable_metadata())["type"] = "Keyword";
    value.set_data("\"" + group.value + "\"");
  }
  return api::MessagePtr(std::move(response));
}

}  // namespace holdfast::engine
