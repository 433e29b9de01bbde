#include "holdfast/task.h"

#include <algorithm>
#include <stdexcept>

#include "base/check.h"

namespace holdfast::detail {

// ---- cancellation

ScopePtr ScopeState::child_of(const ScopePtr& parent) {
  auto child = std::make_shared<ScopeState>(parent);
  if (parent) {
    auto& children = parent->children_;
    if (children.size() >= parent->sweep_at_) {
      std::erase_if(children, [](const auto& each) { return each.expired(); });
      parent->sweep_at_ = std::max<std::size_t>(16, children.size() * 2);
    }
    children.push_back(child);
    if (parent->canceled_) {
      child->canceled_ = true;
      child->reason_ = parent->reason_;
    }
  }
  return child;
}

void ScopeState::cancel(const std::string& reason) {
  if (canceled_) return;
  const auto keep = shared_from_this();
  canceled_ = true;
  reason_ = reason;
  // Callbacks may register others and forget themselves.
  while (!callbacks_.empty()) {
    auto callback = std::move(callbacks_.begin()->second);
    callbacks_.erase(callbacks_.begin());
    callback();
  }
  const auto children = children_;
  for (const auto& each : children) {
    if (const auto child = each.lock()) child->cancel(reason);
  }
}

std::uint64_t ScopeState::on_cancel(std::function<void()> callback) {
  const std::uint64_t registration = next_registration_++;
  callbacks_.emplace(registration, std::move(callback));
  return registration;
}

// ---- futures

void Waiter::unlink() {
  if (core_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : core_->first_) = next_;
  (next_ != nullptr ? next_->previous_ : core_->last_) = previous_;
  core_ = nullptr;
  previous_ = next_ = nullptr;
}

FutureCore::~FutureCore() {
  while (first_ != nullptr) first_->unlink();
}

void FutureCore::wait(Waiter& waiter, PromiseBase& promise) {
  waiter.core_ = this;
  waiter.promise_ = &promise;
  waiter.previous_ = last_;
  waiter.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &waiter;
  last_ = &waiter;
}

void FutureCore::set_error(std::exception_ptr error) {
  if (ready_) return;
  error_ = std::move(error);
  make_ready();
}

void FutureCore::make_ready() {
  ready_ = true;
  while (first_ != nullptr) {
    PromiseBase& promise = *first_->promise_;
    first_->unlink();
    promise.scheduler->push(promise);
  }
}

// ---- tasks

PromiseBase::~PromiseBase() {
  if (ticket != 0) scheduler->withdraw(*this);
}

void PromiseBase::finished(PromiseBase& promise) noexcept {
  if (promise.continuation != nullptr) {
    promise.scheduler->push_next(*promise.continuation);
  } else if (promise.adopted) {
    promise.scheduler->finished_.push_back(&promise);
  }
}

void PromiseBase::returning() {
  if (scheduler->return_watcher_ && !scheduler->closing()) scheduler->return_watcher_(*this);
}

void PromiseBase::start_for(PromiseBase& task, PromiseBase& awaiter) {
  HF_CHECK(task.scheduler == nullptr);  // a task is awaited once
  task.scheduler = awaiter.scheduler;
  if (!task.scope) task.scope = awaiter.scope;
  task.continuation = &awaiter;
  task.scheduler->push_next(task);
}

// ---- the ready queue

Scheduler::Scheduler() : root_(std::make_shared<ScopeState>(nullptr)) {}

Scheduler::~Scheduler() {
  close();
}

void Scheduler::close() {
  closing_ = true;
  conditions_.clear();
  while (!adopted_.empty()) {
    PromiseBase* promise = adopted_.back();
    adopted_.pop_back();
    promise->handle.destroy();
  }
  finished_.clear();
  queue_.clear();
}

void Scheduler::end_others() {
  if (closing_) return;
  closing_ = true;  // what their destructors make ready does not run
  conditions_.clear();
  while (adopted_.size() > 1) {
    PromiseBase* promise = adopted_.back();
    adopted_.pop_back();
    promise->handle.destroy();
  }
  closing_ = false;
}

void Scheduler::push(PromiseBase& promise) {
  if (closing_) return;
  HF_CHECK(promise.ticket == 0);
  promise.ticket = first_ticket_ + queue_.size();
  queue_.push_back(&promise);
}

void Scheduler::push_next(PromiseBase& promise) {
  if (closing_) return;
  HF_CHECK(promise.ticket == 0);
  promise.ticket = --first_ticket_;
  queue_.push_front(&promise);
}

void Scheduler::withdraw(PromiseBase& promise) {
  const std::uint64_t at = promise.ticket - first_ticket_;
  if (at < queue_.size()) queue_[at] = nullptr;
  promise.ticket = 0;
}

void Scheduler::adopt(Task<void> task, ScopePtr scope) {
  if (closing_) return;
  PromiseBase& promise = task.release().promise();
  promise.scheduler = this;
  if (!promise.scope) promise.scope = std::move(scope);
  promise.adopted = true;
  adopted_.push_back(&promise);
  push(promise);
}

void Scheduler::drain() {
  resumes_ = 0;
  do {
    run_ready();
  } while (!over() && check_conditions());
}

void Scheduler::run_ready() {
  while (!queue_.empty() && !over()) {
    PromiseBase* promise = queue_.front();
    queue_.pop_front();
    ++first_ticket_;
    if (promise == nullptr) continue;
    if (++resumes_ > max_resumes_) {
      throw std::runtime_error("the workflow took " + std::to_string(max_resumes_) +
                               " steps without waiting for anything; it probably loops for ever");
    }
    promise->ticket = 0;
    current_ = promise;
    promise->handle.resume();
    current_ = nullptr;
    reap();
  }
}

void Scheduler::reap() {
  while (!finished_.empty()) {
    PromiseBase* promise = finished_.back();
    finished_.pop_back();
    std::erase(adopted_, promise);
    promise->handle.destroy();
  }
}

void Scheduler::add_condition(std::function<bool()> condition, std::shared_ptr<FutureState<void>> resolved) {
  conditions_.push_back({std::move(condition), std::move(resolved)});
}

bool Scheduler::check_conditions() {
  bool any = false;
  for (std::size_t i = 0; i < conditions_.size();) {
    Condition& each = conditions_[i];
    const bool done = each.resolved->ready();
    if (!done && each.holds()) {
      each.resolved->set_value();
      any = true;
    } else if (!done) {
      ++i;
      continue;
    }
    conditions_.erase(conditions_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return any;
}

}  // namespace holdfast::detail
