#pragma once

// workflow::Context: everything workflow code may do. A workflow is a coroutine
//
//   Task<std::string> greet(workflow::Context& ctx, std::string name) {
//     co_return co_await ctx.activity<std::string>("compose", ActivityOptions().start_to_close(10s), name);
//   }
//
// It must be deterministic: time, randomness and I/O only through the context and activities. The context
// belongs to one run, lives on the worker's workflow thread, and outlives the workflow's coroutines.
//
// Methods that return a Task do nothing until it is awaited (or given to all, race or spawn); start_* act at
// once. A canceled scope makes what waits in it throw CanceledFailure (activities: ActivityFailure, children:
// ChildWorkflowFailure, with a CanceledFailure as cause).

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "holdfast/combinators.h"
#include "holdfast/options.h"
#include "holdfast/payload.h"
#include "holdfast/public.h"
#include "holdfast/seams.h"
#include "holdfast/task.h"

namespace holdfast::worker {
class WorkflowRun;
}

namespace holdfast {
namespace workflow HOLDFAST_PUBLIC {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

class Info {
 public:
  Info() = default;
  std::string namespace_name;
  std::string workflow_id;
  std::string run_id;
  std::string first_run_id;      // of the chain of continue-as-new and retries
  std::string original_run_id;   // survives a reset
  std::string continued_run_id;  // the run before this one; empty for the first
  std::string workflow_type;
  std::string task_queue;
  std::string cron_schedule;
  std::int32_t attempt = 1;
  WallTime start_time{};
  std::optional<Duration> execution_timeout;
  std::optional<Duration> run_timeout;
  std::optional<Duration> task_timeout;
  std::optional<RetryPolicy> retry;
  std::string parent_namespace;
  std::string parent_workflow_id;  // empty: no parent
  std::string parent_run_id;
  std::optional<Payload> last_result;  // of the previous cron run
  FailurePtr last_failure;             // of the previous attempt
  Memo memo;
  std::map<std::string, Payload> search_attributes;
  // As of the current workflow task.
  std::int64_t history_length = 0;
  std::int64_t history_bytes = 0;
  bool continue_as_new_suggested = false;
};

// What an update handler may ask about the update it serves.
class UpdateInfo {
 public:
  UpdateInfo() = default;
  std::string id;
  std::string name;
};

using WorkflowFunction = std::function<Task<Payload>(class Context&, std::vector<Payload>)>;
using SignalHandler = std::function<Task<void>(std::vector<Payload>)>;
using QueryHandler = std::function<Payload(std::vector<Payload>)>;
using UpdateHandler = std::function<Task<Payload>(std::vector<Payload>)>;
using UpdateValidator = std::function<void(const std::vector<Payload>&)>;

// Thrown by Context::continue_as_new. Not a std::exception, so that handlers of errors do not swallow it.
class ContinueAsNewRequest {
 public:
  ContinueAsNewRequest(ContinueAsNewOptions options_in, std::vector<Payload> arguments_in)
      : options(std::move(options_in)), arguments(std::move(arguments_in)) {}
  ContinueAsNewOptions options;
  std::vector<Payload> arguments;
};

namespace detail {

// The types of a callable's parameters and result.
template <typename F>
struct Callable : Callable<decltype(&F::operator())> {};
template <typename R, typename... A>
struct Callable<R (*)(A...)> {
  using Result = R;
  using Arguments = std::tuple<std::remove_cvref_t<A>...>;
};
template <typename C, typename R, typename... A>
struct Callable<R (C::*)(A...) const> : Callable<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Callable<R (C::*)(A...)> : Callable<R (*)(A...)> {};

template <typename... A>
std::tuple<A...> decode(const std::vector<Payload>& payloads, std::type_identity<std::tuple<A...>>) {
  return decode_arguments<A...>(payloads);
}

// Runs a handler, plain function or coroutine, and keeps it alive meanwhile.
template <typename F>
Task<Payload> run_handler(std::shared_ptr<F> handler, std::vector<Payload> payloads) {
  using Call = Callable<F>;
  auto arguments = decode(payloads, std::type_identity<typename Call::Arguments>{});
  using R = typename Call::Result;
  if constexpr (holdfast::detail::IsTask<R>::value) {
    auto task = std::apply(*handler, std::move(arguments));
    if constexpr (std::is_void_v<typename R::value_type>) {
      co_await std::move(task);
      co_return null_payload();
    } else {
      auto result = co_await std::move(task);
      co_return to_payload(result);
    }
  } else if constexpr (std::is_void_v<R>) {
    std::apply(*handler, std::move(arguments));
    co_return null_payload();
  } else {
    auto result = std::apply(*handler, std::move(arguments));
    co_return to_payload(result);
  }
}

template <typename F>
Task<void> run_signal_handler(std::shared_ptr<F> handler, std::vector<Payload> payloads) {
  auto task = run_handler(std::move(handler), std::move(payloads));
  (void)co_await std::move(task);
}

template <typename R>
Task<R> decode_result(Task<Payload> task) {
  Payload payload = co_await std::move(task);
  if constexpr (!std::is_void_v<R>) co_return from_payload<R>(payload);
}
template <typename R>
Task<R> decode_result(Future<Payload> future) {
  Payload payload = co_await future;
  if constexpr (!std::is_void_v<R>) co_return from_payload<R>(payload);
}

// g++ before 14 destroys such temporaries twice inside co_await.
template <typename A>
inline constexpr bool kSafeInCoAwait =
    std::is_lvalue_reference_v<A> || !std::is_aggregate_v<std::remove_cvref_t<A>> ||
    std::is_array_v<std::remove_cvref_t<A>> || std::is_trivially_destructible_v<std::remove_cvref_t<A>>;
template <typename F>
inline constexpr bool kSafeCallable =
    std::is_lvalue_reference_v<F> || std::is_trivially_destructible_v<std::remove_cvref_t<F>>;

template <typename... A>
std::vector<Payload> arguments(A&&... args) {
  static_assert(
      (kSafeInCoAwait<A> && ...),
      "pass aggregates as named variables: g++ before 14 destroys temporaries of them twice in co_await");
  return to_payloads(args...);
}

}  // namespace detail

// A running activity. Cheap to copy.
template <typename R>
class ActivityHandle {
 public:
  ActivityHandle(std::string id, Future<Payload> result, CancelScope scope)
      : id_(std::move(id)), result_(std::move(result)), scope_(std::move(scope)) {}
  const std::string& id() const { return id_; }
  Task<R> result() const { return detail::decode_result<R>(result_); }
  bool done() const { return result_.ready(); }
  void cancel(const std::string& reason = "canceled") const { scope_.cancel(reason); }

 private:
  std::string id_;
  Future<Payload> result_;
  CancelScope scope_;
};

class TimerHandle {
 public:
  TimerHandle(Future<void> fired, CancelScope scope) : fired_(std::move(fired)), scope_(std::move(scope)) {}
  Future<void> fired() const { return fired_; }
  bool done() const { return fired_.ready(); }
  void cancel() const { scope_.cancel("timer canceled"); }

 private:
  Future<void> fired_;
  CancelScope scope_;
};

class Context;

// A started child workflow. Cheap to copy.
template <typename R>
class ChildHandle {
 public:
  ChildHandle(Context& context, std::string workflow_id, std::string run_id, Future<Payload> result,
              CancelScope scope)
      : context_(&context),
        workflow_id_(std::move(workflow_id)),
        run_id_(std::move(run_id)),
        result_(std::move(result)),
        scope_(std::move(scope)) {}
  const std::string& workflow_id() const { return workflow_id_; }
  const std::string& run_id() const { return run_id_; }
  Task<R> result() const { return detail::decode_result<R>(result_); }
  bool done() const { return result_.ready(); }
  void cancel(const std::string& reason = "canceled") const { scope_.cancel(reason); }
  template <typename... A>
  Task<void> signal(std::string name, A&&... args) const;

 private:
  Context* context_;
  std::string workflow_id_;
  std::string run_id_;
  Future<Payload> result_;
  CancelScope scope_;
};

// Signals of one name in the order of their arrival; they are kept until received. One that does not decode
// is dropped and logged: its sender's mistake must not stop the workflow.
template <typename... T>
class SignalChannel {
 public:
  using Value = std::conditional_t<sizeof...(T) == 1, std::tuple_element_t<0, std::tuple<T..., void>>,
                                   std::tuple<T...>>;
  SignalChannel(Context& context, std::string name) : context_(&context), name_(std::move(name)) {}
  Task<Value> receive() const;
  std::optional<Value> try_receive() const;
  std::size_t size() const;

 private:
  static Task<Value> receive_from(Context& context, std::string name);
  // Nothing when the signal was dropped.
  static std::optional<Value> decode(Context& context, const std::string& name,
                                     const std::vector<Payload>& payloads);
  Context* context_;
  std::string name_;
};

class Context {
 public:
  explicit Context(worker::WorkflowRun& run) : run_(&run) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // ---- facts
  // The time of the current workflow task; stands still while the workflow computes.
  WallTime now() const;
  // Seeded by the run id.
  std::uint64_t random();
  double random_double();  // [0, 1)
  std::string uuid();
  const Info& info() const;
  bool replaying() const;
  // Silent on replay.
  void log(LogLevel level, std::string_view message) const;

  // ---- activities
  template <typename R = Payload, typename... A>
  Task<R> activity(const std::string& name, const ActivityOptions& options, A&&... args) {
    return detail::decode_result<R>(run_activity(name, options, detail::arguments(std::forward<A>(args)...)));
  }
  template <typename R = Payload, typename... A>
  ActivityHandle<R> start_activity(const std::string& name, const ActivityOptions& options, A&&... args) {
    auto raw = start_activity_raw(name, options, detail::arguments(std::forward<A>(args)...));
    return ActivityHandle<R>(std::move(raw.id), std::move(raw.result), std::move(raw.scope));
  }
  // The dynamic form.
  Task<Payload> run_activity(std::string name, ActivityOptions options, std::vector<Payload> arguments);

  // ---- time
  Task<void> sleep(Duration duration, std::string summary = {});
  TimerHandle start_timer(Duration duration, std::string summary = {});
  // Until the condition holds. It is looked at after every step of the workflow and must have no effects.
  template <typename F>
  Task<void> wait(F&& condition) {
    static_assert(detail::kSafeCallable<F>,
                  "capture by reference, or pass a named lambda: g++ before 14 destroys the temporary twice");
    return wait_condition(std::function<bool()>(std::forward<F>(condition)));
  }
  // False when the time ran out first.
  template <typename F>
  Task<bool> wait_for(F&& condition, Duration timeout) {
    static_assert(detail::kSafeCallable<F>,
                  "capture by reference, or pass a named lambda: g++ before 14 destroys the temporary twice");
    return wait_condition_for(std::function<bool()>(std::forward<F>(condition)), timeout);
  }

  // ---- messages
  // Register handlers before the first co_await that leaves the workflow. Signals wait for their handler; an
  // update without one is rejected once the workflow's first step has ended.
  template <typename F>
  void on_signal(const std::string& name, F handler) {
    auto shared = std::make_shared<F>(std::move(handler));
    set_signal_handler(name, [shared](std::vector<Payload> payloads) {
      return detail::run_signal_handler(shared, std::move(payloads));
    });
  }
  // Handlers of queries only look: they may not wait, nor start anything. One that refers to variables of the
  // coroutine that registers it answers for as long as that lives, and with what it said last from then on.
  template <typename F>
  void on_query(const std::string& name, F handler) {
    using Call = detail::Callable<F>;
    static_assert(!holdfast::detail::IsTask<typename Call::Result>::value,
                  "a query handler is a plain function");
    auto shared = std::make_shared<F>(std::move(handler));
    set_query_handler(name, [shared](std::vector<Payload> payloads) {
      return to_payload(
          std::apply(*shared, detail::decode(payloads, std::type_identity<typename Call::Arguments>{})));
    });
  }
  // The handler is a function or coroutine; what it returns is the update's result, a Failure it throws the
  // update's failure.
  template <typename F>
  void on_update(const std::string& name, F handler) {
    on_update(name, std::move(handler), [](const std::vector<Payload>& payloads) {
      (void)detail::decode(payloads, std::type_identity<typename detail::Callable<F>::Arguments>{});
    });
  }
  // The validator has the handler's parameters, or takes the payloads; it rejects by throwing and must have
  // no effects.
  template <typename F, typename V>
  void on_update(const std::string& name, F handler, V validator) {
    auto shared = std::make_shared<F>(std::move(handler));
    UpdateHandler run = [shared](std::vector<Payload> payloads) {
      return detail::run_handler(shared, std::move(payloads));
    };
    if constexpr (std::is_invocable_v<V, const std::vector<Payload>&>) {
      set_update_handler(name, std::move(run), std::move(validator));
    } else {
      using Call = detail::Callable<V>;
      auto check = std::make_shared<V>(std::move(validator));
      set_update_handler(name, std::move(run), [check](const std::vector<Payload>& payloads) {
        std::apply(*check, detail::decode(payloads, std::type_identity<typename Call::Arguments>{}));
      });
    }
  }
  // Of the update whose handler is being started or validated.
  const UpdateInfo& current_update() const;
  template <typename... T>
  SignalChannel<T...> signal_channel(const std::string& name) {
    return SignalChannel<T...>(*this, name);
  }
  // For names without a handler of their own: name and payloads.
  void set_dynamic_signal_handler(std::function<Task<void>(std::string, std::vector<Payload>)> handler);
  void set_dynamic_query_handler(std::function<Payload(std::string, std::vector<Payload>)> handler);
  void set_signal_handler(const std::string& name, SignalHandler handler);
  void set_query_handler(const std::string& name, QueryHandler handler);
  void set_update_handler(const std::string& name, UpdateHandler handler, UpdateValidator validator);
  // Handlers of signals and updates that have begun and not ended: co_await ctx.wait([&] { return ctx.idle();
  // }) before closing lets them finish.
  bool idle() const;

  // ---- other workflows
  template <typename R = Payload, typename... A>
  Task<R> child(const std::string& type, const ChildOptions& options, A&&... args) {
    return detail::decode_result<R>(run_child(type, options, detail::arguments(std::forward<A>(args)...)));
  }
  // Waits for the child's start.
  template <typename R = Payload, typename... A>
  Task<ChildHandle<R>> start_child(const std::string& type, const ChildOptions& options, A&&... args) {
    return started_child<R>(start_child_raw(type, options, detail::arguments(std::forward<A>(args)...)));
  }
  Task<Payload> run_child(std::string type, ChildOptions options, std::vector<Payload> arguments);
  // An empty run id: the workflow's current run.
  template <typename... A>
  Task<void> signal_external(const std::string& workflow_id, const std::string& run_id,
                             const std::string& signal, A&&... args) {
    return signal_external_raw(workflow_id, run_id, signal, detail::arguments(std::forward<A>(args)...),
                               false);
  }
  Task<void> signal_external_raw(std::string workflow_id, std::string run_id, std::string signal,
                                 std::vector<Payload> arguments, bool child_only);
  Task<void> cancel_external(std::string workflow_id, std::string run_id, std::string reason = {});

  // Ends this run and begins the next with these arguments. Only from the workflow's main coroutine.
  template <typename... A>
  [[noreturn]] void continue_as_new(A&&... args) {
    throw ContinueAsNewRequest(ContinueAsNewOptions(), to_payloads(args...));
  }
  template <typename... A>
  [[noreturn]] void continue_as_new_with(const ContinueAsNewOptions& options, A&&... args) {
    throw ContinueAsNewRequest(options, to_payloads(args...));
  }

  // ---- cancellation and concurrency
  // Of the scope in which the caller runs.
  bool cancelled() const;
  // Of the workflow as a whole, also inside a shield.
  bool workflow_cancelled() const;
  std::string cancel_reason() const;
  // A new scope below the caller's.
  CancelScope scope();
  template <typename T>
  Task<T> within(const CancelScope& scope, Task<T> task) {
    task.set_scope(scope.state());
    return task;
  }
  // Goes on when the caller's scope is canceled: for cleaning up.
  template <typename T>
  Task<T> shielded(Task<T> task) {
    task.set_scope(shield());
    return task;
  }
  // Runs the task beside the caller. What it throws reaches who awaits the future.
  template <typename T>
  Future<T> spawn(Task<T> task) {
    return holdfast::detail::spawn_on(scheduler(), scheduler().current_scope(), std::move(task));
  }
  template <typename T>
  Future<T> spawn(const CancelScope& scope, Task<T> task) {
    return holdfast::detail::spawn_on(scheduler(), scope.state(), std::move(task));
  }

  // ---- versions and state
  // True for runs that first came here with this code or newer, false for those that passed with older code.
  bool patched(const std::string& id);
  // In place of patched() once no run without the patch is left.
  void deprecate_patch(const std::string& id);
  // Computed once, recorded in history. For short things that are not worth an activity; must not fail.
  template <typename R, typename F>
  R side_effect(F compute) {
    std::function<Payload()> encoded = [&compute] { return to_payload(static_cast<R>(compute())); };
    return from_payload<R>(side_effect_raw(encoded));
  }
  void upsert_search_attributes(const SearchAttributes& attributes);
  void upsert_memo(const Memo& memo);

  // ---- used by the templates
  class RawHandle {
   public:
    RawHandle(std::string id_in, Future<std::string> started_in, Future<Payload> result_in,
              CancelScope scope_in)
        : id(std::move(id_in)),
          started(std::move(started_in)),
          result(std::move(result_in)),
          scope(std::move(scope_in)) {}
    std::string id;
    Future<std::string> started;  // children: the run id
    Future<Payload> result;
    CancelScope scope;
  };
  RawHandle start_activity_raw(const std::string& name, const ActivityOptions& options,
                               std::vector<Payload> arguments);
  Task<RawHandle> start_child_raw(std::string type, ChildOptions options, std::vector<Payload> arguments);
  Task<void> wait_condition(std::function<bool()> condition);
  Task<bool> wait_condition_for(std::function<bool()> condition, Duration timeout);
  Task<std::vector<Payload>> receive_signal(std::string name);
  std::optional<std::vector<Payload>> try_receive_signal(const std::string& name);
  std::size_t waiting_signals(const std::string& name) const;

 private:
  template <typename R>
  Task<ChildHandle<R>> started_child(Task<RawHandle> starting) {
    RawHandle raw = co_await std::move(starting);
    co_return ChildHandle<R>(*this, raw.id, raw.started.get(), raw.result, raw.scope);
  }
  Payload side_effect_raw(const std::function<Payload()>& compute);
  holdfast::detail::ScopePtr shield();
  holdfast::detail::Scheduler& scheduler() const;

  worker::WorkflowRun* run_;
};

template <typename R>
template <typename... A>
Task<void> ChildHandle<R>::signal(std::string name, A&&... args) const {
  return context_->signal_external_raw(workflow_id_, run_id_, std::move(name),
                                       detail::arguments(std::forward<A>(args)...), true);
}

template <typename... T>
auto SignalChannel<T...>::decode(Context& context, const std::string& name,
                                 const std::vector<Payload>& payloads) -> std::optional<Value> {
  try {
    auto values = decode_arguments<T...>(payloads);
    if constexpr (sizeof...(T) == 1) {
      return std::get<0>(std::move(values));
    } else {
      return values;
    }
  } catch (const PayloadError& error) {
    context.log(LogLevel::kWarn, "signal \"" + name + "\" was dropped: " + error.what());
    return std::nullopt;
  }
}
template <typename... T>
auto SignalChannel<T...>::receive_from(Context& context, std::string name) -> Task<Value> {
  while (true) {
    auto received = context.receive_signal(name);
    const std::vector<Payload> payloads = co_await std::move(received);
    std::optional<Value> value = decode(context, name, payloads);
    if (value) co_return std::move(*value);
  }
}
template <typename... T>
auto SignalChannel<T...>::receive() const -> Task<Value> {
  return receive_from(*context_, name_);
}
template <typename... T>
auto SignalChannel<T...>::try_receive() const -> std::optional<Value> {
  while (auto payloads = context_->try_receive_signal(name_)) {
    if (auto value = decode(*context_, name_, *payloads)) return value;
  }
  return std::nullopt;
}
template <typename... T>
std::size_t SignalChannel<T...>::size() const {
  return context_->waiting_signals(name_);
}

}  // namespace workflow HOLDFAST_PUBLIC
}  // namespace holdfast
