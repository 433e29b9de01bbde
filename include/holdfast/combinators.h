#pragma once

// attempt, all, race: waiting for several things, and for things that may fail.
//
// all and race start their tasks in a scope of their own, in the order given. They take Task<T> (lazy) and
// Future<T> (already under way: cancelling the scope does not reach it).

#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "holdfast/public.h"
#include "holdfast/task.h"

namespace holdfast HOLDFAST_PUBLIC {

namespace detail {

template <typename T>
Task<Outcome<T>> attempt_task(Task<T> task) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      co_return Outcome<void>();
    } else {
      co_return Outcome<T>(co_await std::move(task));
    }
  } catch (const Failure& failure) {
    co_return Outcome<T>(failure.clone());
  }
}

template <typename T>
Task<T> future_task(Future<T> future) {
  co_return co_await future;
}

template <typename T>
Future<T> begin(Scheduler& scheduler, const ScopePtr& scope, Task<T> task) {
  return spawn_on(scheduler, scope, std::move(task));
}
template <typename T>
Future<T> begin(Scheduler&, const ScopePtr&, Future<T> future) {
  return future;
}

// Counts arrivals: `first` when one future is ready, `last` when all are, `failed` when one failed.
class Gather {
 public:
  Gather() = default;
  Promise<std::size_t> first;
  Promise<void> last;
  std::size_t left = 0;
  ScopePtr scope;
  bool cancel_on_failure = false;
  std::exception_ptr failure;
};

template <typename T>
Task<void> watch(Future<T> future, std::shared_ptr<Gather> gather, std::size_t index) {
  try {
    (void)co_await future.operator co_await();
  } catch (...) {
    if (!gather->failure) gather->failure = std::current_exception();
    if (gather->cancel_on_failure) gather->scope->cancel("another branch failed");
  }
  gather->first.set_value(index);
  if (--gather->left == 0) gather->last.set_value();
}

// void has no place in a tuple.
template <typename T>
using Regular = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename T>
Regular<T> regular_value(const Future<T>& future) {
  if constexpr (std::is_void_v<T>) {
    future.get();
    return {};
  } else {
    return future.get();
  }
}

template <typename... Ts>
Task<std::tuple<Regular<Ts>...>> all_futures(std::shared_ptr<Gather> gather, Scheduler& scheduler,
                                             ScopePtr watchers, std::tuple<Future<Ts>...> futures) {
  std::size_t index = 0;
  std::apply([&](const auto&... each) { (scheduler.adopt(watch(each, gather, index++), watchers), ...); },
             futures);
  if (sizeof...(Ts) > 0) co_await gather->last.future();
  if (gather->failure) std::rethrow_exception(gather->failure);
  co_return std::apply([](const auto&... each) { return std::tuple<Regular<Ts>...>(regular_value(each)...); },
                       futures);
}

template <typename T, std::size_t... I, typename Futures>
T value_at(std::size_t winner, const Futures& futures, std::index_sequence<I...>) {
  std::optional<T> out;
  ((winner == I ? (void)out.emplace(std::in_place_index<I>, regular_value(std::get<I>(futures))) : void()),
   ...);
  return std::move(*out);
}

}  // namespace detail

// The value, or the Failure that was thrown. Exceptions that are not Failures pass through.
template <typename T>
Task<Outcome<T>> attempt(Task<T> task) {
  return detail::attempt_task(std::move(task));
}
template <typename T>
Task<Outcome<T>> attempt(Future<T> future) {
  return detail::attempt_task(detail::future_task(std::move(future)));
}

// Waits for every branch. If one fails, the others are cancelled, and the first failure is thrown when all
// have ended. void results are std::monostate.
template <typename... A>
Task<std::tuple<detail::Regular<typename A::value_type>...>> all(A... branches) {
  detail::Scheduler& scheduler = co_await detail::ThisScheduler();
  auto gather = std::make_shared<detail::Gather>();
  gather->scope = detail::ScopeState::child_of(scheduler.current_scope());
  gather->left = sizeof...(A);
  gather->cancel_on_failure = true;
  // Braces: the branches begin in the order in which they are written.
  std::tuple<Future<typename A::value_type>...> futures{
      detail::begin(scheduler, gather->scope, std::move(branches))...};
  auto rest = detail::all_futures(gather, scheduler, gather->scope, std::move(futures));
  co_return co_await std::move(rest);
}

template <typename T>
Task<std::vector<detail::Regular<T>>> all(std::vector<Task<T>> branches) {
  detail::Scheduler& scheduler = co_await detail::ThisScheduler();
  auto gather = std::make_shared<detail::Gather>();
  gather->scope = detail::ScopeState::child_of(scheduler.current_scope());
  gather->left = branches.size();
  gather->cancel_on_failure = true;
  std::vector<Future<T>> futures;
  for (auto& branch : branches) {
    futures.push_back(detail::spawn_on(scheduler, gather->scope, std::move(branch)));
  }
  for (std::size_t i = 0; i < futures.size(); ++i) {
    scheduler.adopt(detail::watch(futures[i], gather, i), gather->scope);
  }
  if (!futures.empty()) co_await gather->last.future();
  if (gather->failure) std::rethrow_exception(gather->failure);
  std::vector<detail::Regular<T>> out;
  for (const auto& future : futures) out.push_back(detail::regular_value(future));
  co_return out;
}

// The first branch to end decides: its value at its index, or its failure thrown. The other tasks are
// cancelled; race does not wait for them to notice.
template <typename... A>
Task<std::variant<detail::Regular<typename A::value_type>...>> race(A... branches) {
  using Winner = std::variant<detail::Regular<typename A::value_type>...>;
  detail::Scheduler& scheduler = co_await detail::ThisScheduler();
  auto gather = std::make_shared<detail::Gather>();
  gather->scope = detail::ScopeState::child_of(scheduler.current_scope());
  gather->left = sizeof...(A);
  std::tuple<Future<typename A::value_type>...> futures{
      detail::begin(scheduler, gather->scope, std::move(branches))...};
  std::size_t index = 0;
  std::apply(
      [&](const auto&... each) {
        (scheduler.adopt(detail::watch(each, gather, index++), gather->scope), ...);
      },
      futures);
  const std::size_t winner = co_await gather->first.future();
  gather->scope->cancel("another branch won");
  co_return detail::value_at<Winner>(winner, futures, std::index_sequence_for<A...>());
}

// The index and value of the first branch to end; at least one branch.
template <typename T>
Task<std::pair<std::size_t, detail::Regular<T>>> race(std::vector<Task<T>> branches) {
  detail::Scheduler& scheduler = co_await detail::ThisScheduler();
  auto gather = std::make_shared<detail::Gather>();
  gather->scope = detail::ScopeState::child_of(scheduler.current_scope());
  gather->left = branches.size();
  std::vector<Future<T>> futures;
  for (auto& branch : branches) {
    futures.push_back(detail::spawn_on(scheduler, gather->scope, std::move(branch)));
  }
  for (std::size_t i = 0; i < futures.size(); ++i) {
    scheduler.adopt(detail::watch(futures[i], gather, i), gather->scope);
  }
  const std::size_t winner = co_await gather->first.future();
  gather->scope->cancel("another branch won");
  co_return std::pair<std::size_t, detail::Regular<T>>(winner, detail::regular_value(futures[winner]));
}

}  // namespace holdfast HOLDFAST_PUBLIC
