#pragma once

// Task<T>, Future<T> and CancelScope: the coroutines in which workflows are written.
//
// A Task is lazy (it runs when awaited or spawned), move-only, and owns its coroutine: destroying it ends the
// work. Every coroutine of a workflow is resumed from one queue on one thread; nothing resumes another
// coroutine directly, so that depth of stack never depends on how often a loop awaits, and the order of steps
// is the same on every replay: awaiting a Task works like a call (it runs next, and its awaiter after it),
// everything else (futures that became ready, spawned tasks) waits its turn, first in, first out. Nothing
// here is thread-safe.
//
// Rules for coroutines: parameters by value; no lambda with captures as a coroutine unless it outlives the
// task (handlers given to the Context do); no co_await in a catch block (use attempt()).
//
// A workflow ends with its main coroutine: what else still waits or is ready is destroyed at its co_return,
// while its variables still live, and runs no more. Only when an exception leaves the main coroutine its
// variables go first: destructors elsewhere must not look at them.

#include <coroutine>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "holdfast/failure.h"
#include "holdfast/public.h"

namespace holdfast HOLDFAST_PUBLIC {

template <typename T>
class Task;

namespace detail {

class Scheduler;
struct PromiseBase;

// A node of the tree along which cancellation travels. Shared by the tasks that run in it and by handles to
// it.
class ScopeState : public std::enable_shared_from_this<ScopeState> {
 public:
  explicit ScopeState(std::shared_ptr<ScopeState> parent) : parent_(std::move(parent)) {}

  static std::shared_ptr<ScopeState> child_of(const std::shared_ptr<ScopeState>& parent);
  // Runs the callbacks in the order of their registration, then cancels the children in the order of their
  // creation.
  void cancel(const std::string& reason);
  bool canceled() const { return canceled_; }
  const std::string& reason() const { return reason_; }
  std::uint64_t on_cancel(std::function<void()> callback);
  void forget(std::uint64_t registration) { callbacks_.erase(registration); }

 private:
  std::shared_ptr<ScopeState> parent_;
  // Whoever works in a child owns it. Those that died are swept out when the list has doubled.
  std::vector<std::weak_ptr<ScopeState>> children_;
  std::size_t sweep_at_ = 16;
  std::map<std::uint64_t, std::function<void()>> callbacks_;
  std::uint64_t next_registration_ = 1;
  bool canceled_ = false;
  std::string reason_;
};
using ScopePtr = std::shared_ptr<ScopeState>;

class FutureCore;

// A coroutine waiting for a future; lives in the coroutine's frame and leaves the list when the frame dies.
class Waiter {
 public:
  Waiter() = default;
  ~Waiter() { unlink(); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  void unlink();

 private:
  friend class FutureCore;
  FutureCore* core_ = nullptr;
  PromiseBase* promise_ = nullptr;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
};

class FutureCore {
 public:
  FutureCore() = default;
  ~FutureCore();
  FutureCore(const FutureCore&) = delete;
  FutureCore& operator=(const FutureCore&) = delete;

  bool ready() const { return ready_; }
  bool failed() const { return error_ != nullptr; }
  void set_error(std::exception_ptr error);
  void wait(Waiter& waiter, PromiseBase& promise);
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 protected:
  void make_ready();

 private:
  friend class Waiter;
  bool ready_ = false;
  std::exception_ptr error_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

template <typename T>
class FutureState : public FutureCore {
 public:
  void set_value(T value) {
    if (ready()) return;
    value_.emplace(std::move(value));
    make_ready();
  }
  const T& value() const { return *value_; }

 private:
  std::optional<T> value_;
};

template <>
class FutureState<void> : public FutureCore {
 public:
  void set_value() {
    if (!ready()) make_ready();
  }
};

struct PromiseBase {
  PromiseBase() = default;
  ~PromiseBase();
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  std::coroutine_handle<> handle;
  Scheduler* scheduler = nullptr;
  ScopePtr scope;                       // null until started, unless set before
  PromiseBase* continuation = nullptr;  // who awaits this task
  std::uint64_t ticket = 0;             // place in the ready queue; 0: not queued
  bool adopted = false;                 // owned by the scheduler
  bool watched = false;                 // its return is told to the scheduler
  bool is_main = false;                 // its return ends the workflow
  std::exception_ptr error;

  struct FinalAwaiter {
    FinalAwaiter() = default;
    bool await_ready() const noexcept { return false; }
    template <typename P>
    void await_suspend(std::coroutine_handle<P> done) const noexcept {
      finished(done.promise());
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return FinalAwaiter(); }
  void unhandled_exception() { error = std::current_exception(); }

  static void finished(PromiseBase& promise) noexcept;
  // At co_return, while the coroutine's variables still live.
  void returning();
  // Queues a task that has not run yet on behalf of `awaiter`.
  static void start_for(PromiseBase& task, PromiseBase& awaiter);
};

// The ready queue. One per workflow run; the worker drains it once per activation.
class Scheduler {
 public:
  Scheduler();
  // Destroys the tasks that are left, the newest first.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void push(PromiseBase& promise);
  // Ahead of the queue: calls and returns.
  void push_next(PromiseBase& promise);
  void withdraw(PromiseBase& promise);
  // Takes the task over and queues it.
  void adopt(Task<void> task, ScopePtr scope);
  // Resumes what is ready until nothing is, then looks at the conditions; repeats until neither yields
  // anything, or the workflow is over. Throws std::runtime_error after `max_resumes` resumptions: a loop that
  // never waits.
  void drain();
  // Asked before each step; nothing runs any more when it says so.
  void set_over(std::function<bool()> over) { over_ = std::move(over); }
  // Destroys all tasks but the first that was adopted, the newest first.
  void end_others();
  // `resolved` becomes ready when `condition` is true, now or after any later drain.
  void add_condition(std::function<bool()> condition, std::shared_ptr<FutureState<void>> resolved);

  // The scope of the coroutine that is running, the root scope outside of any.
  const ScopePtr& current_scope() const { return current_ != nullptr ? current_->scope : root_; }
  const ScopePtr& root_scope() const { return root_; }
  // The coroutine that is running; null outside of any.
  PromiseBase* current() const { return current_; }
  // `watcher` hears when a watched coroutine returns.
  void set_return_watcher(std::function<void(PromiseBase&)> watcher) { return_watcher_ = std::move(watcher); }
  // Destroys all tasks now; pushes are ignored from here on.
  void close();
  bool closing() const { return closing_; }
  std::size_t task_count() const { return adopted_.size(); }

  static constexpr std::uint64_t kMaxResumes = 50'000'000;
  void set_max_resumes(std::uint64_t value) { max_resumes_ = value; }

 private:
  friend struct PromiseBase;
  void run_ready();
  bool over() const { return over_ && over_(); }
  bool check_conditions();
  void reap();

  struct Condition {
    std::function<bool()> holds;
    std::shared_ptr<FutureState<void>> resolved;
  };
  std::deque<PromiseBase*> queue_;
  std::uint64_t first_ticket_ = std::uint64_t{1} << 62;  // of queue_.front()
  std::uint64_t resumes_ = 0;                            // in this drain
  std::uint64_t max_resumes_ = kMaxResumes;
  PromiseBase* current_ = nullptr;
  ScopePtr root_;
  std::vector<PromiseBase*> adopted_;
  std::vector<PromiseBase*> finished_;
  std::vector<Condition> conditions_;
  std::function<void(PromiseBase&)> return_watcher_;
  std::function<bool()> over_;
  bool closing_ = false;
};

}  // namespace detail

// A result that arrives once and can be awaited by many. Cheap to copy.
template <typename T>
class [[nodiscard]] Future {
 public:
  using value_type = T;
  Future() = default;
  explicit Future(std::shared_ptr<detail::FutureState<T>> state) : state_(std::move(state)) {}

  bool ready() const { return state_->ready(); }
  // Only when ready: the value, or throws what it failed with.
  T get() const {
    state_->rethrow();
    if constexpr (!std::is_void_v<T>) return state_->value();
  }

  class Awaiter {
   public:
    explicit Awaiter(std::shared_ptr<detail::FutureState<T>> state) : state_(std::move(state)) {}
    bool await_ready() const noexcept { return state_->ready(); }
    template <typename P>
    void await_suspend(std::coroutine_handle<P> handle) {
      state_->wait(waiter_, handle.promise());
    }
    T await_resume() const {
      state_->rethrow();
      if constexpr (!std::is_void_v<T>) return state_->value();
    }

   private:
    std::shared_ptr<detail::FutureState<T>> state_;
    detail::Waiter waiter_;
  };
  Awaiter operator co_await() const { return Awaiter(state_); }

 private:
  std::shared_ptr<detail::FutureState<T>> state_;
};

// The writing end of a Future.
template <typename T>
class Promise {
 public:
  Promise() : state_(std::make_shared<detail::FutureState<T>>()) {}
  Future<T> future() const { return Future<T>(state_); }
  bool ready() const { return state_->ready(); }
  // The first result counts, later ones are ignored.
  template <typename... V>
  void set_value(V&&... value) const {
    state_->set_value(std::forward<V>(value)...);
  }
  void set_error(std::exception_ptr error) const { state_->set_error(std::move(error)); }
  void set_failure(const Failure& failure) const {
    try {
      failure.raise();
    } catch (...) {
      state_->set_error(std::current_exception());
    }
  }

 private:
  std::shared_ptr<detail::FutureState<T>> state_;
};

namespace detail {

template <typename T>
struct TaskPromise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename V>
  void return_value(V&& result) {
    if (watched) returning();  // before the result is moved out of the coroutine's variables
    value.emplace(std::forward<V>(result));
  }
  T take() {
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
    return std::move(*value);
  }
};

template <>
struct TaskPromise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {
    if (watched) returning();
  }
  void take() {
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
  }
};

}  // namespace detail

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using value_type = T;
  using promise_type = detail::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  explicit operator bool() const { return handle_ != nullptr; }
  // Runs the task in another scope than its awaiter's; before it starts.
  void set_scope(detail::ScopePtr scope) { handle_.promise().scope = std::move(scope); }
  // It is the workflow's main coroutine, or stands for it; before it starts.
  void set_main() { handle_.promise().is_main = handle_.promise().watched = true; }
  Handle release() { return std::exchange(handle_, nullptr); }

  class Awaiter {
   public:
    explicit Awaiter(Handle handle) : handle_(handle) {}
    bool await_ready() const noexcept { return false; }
    template <typename P>
    void await_suspend(std::coroutine_handle<P> awaiter) {
      detail::PromiseBase::start_for(handle_.promise(), awaiter.promise());
    }
    T await_resume() { return handle_.promise().take(); }

   private:
    Handle handle_;
  };
  // Awaited once, as an rvalue: co_await f(), co_await std::move(task).
  Awaiter operator co_await() && { return Awaiter(handle_); }

 private:
  Handle handle_ = nullptr;
};

namespace detail {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() {
  auto own = std::coroutine_handle<TaskPromise<T>>::from_promise(*this);
  handle = own;
  return Task<T>(own);
}
inline Task<void> TaskPromise<void>::get_return_object() {
  auto own = std::coroutine_handle<TaskPromise<void>>::from_promise(*this);
  handle = own;
  return Task<void>(own);
}

// co_await ThisScheduler() gives the scheduler of the running coroutine without suspending it.
class ThisScheduler {
 public:
  ThisScheduler() = default;
  bool await_ready() const noexcept { return false; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    scheduler_ = handle.promise().scheduler;
    return false;
  }
  Scheduler& await_resume() const noexcept { return *scheduler_; }

 private:
  Scheduler* scheduler_ = nullptr;
};

template <typename T>
struct IsTask : std::false_type {};
template <typename T>
struct IsTask<Task<T>> : std::true_type {};

template <typename T>
Task<void> run_into(Task<T> task, Promise<T> promise) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      promise.set_value();
    } else {
      promise.set_value(co_await std::move(task));
    }
  } catch (...) {
    promise.set_error(std::current_exception());
  }
}

// Starts the task on the scheduler, which owns it from here on.
template <typename T>
Future<T> spawn_on(Scheduler& scheduler, ScopePtr scope, Task<T> task) {
  Promise<T> promise;
  scheduler.adopt(run_into(std::move(task), promise), std::move(scope));
  return promise.future();
}

}  // namespace detail

// A handle to a scope of cancellation: work started within it is cancelled with it, and it is cancelled with
// the scope in which it was made, unless it is shielded.
class CancelScope {
 public:
  explicit CancelScope(detail::ScopePtr state) : state_(std::move(state)) {}
  void cancel(const std::string& reason = "canceled") const { state_->cancel(reason); }
  bool canceled() const { return state_->canceled(); }
  const detail::ScopePtr& state() const { return state_; }

 private:
  detail::ScopePtr state_;
};

}  // namespace holdfast HOLDFAST_PUBLIC
