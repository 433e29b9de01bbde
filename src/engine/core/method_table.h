#pragma once

// MethodTable: which handler answers which method of the service. A handler is a member function that says by
// its parameters what it needs, and is called only when that is there:
//
//   void f(Call&, Request&)                                     nothing but the request
//   void f(Call&, Request&, const NamespaceRecord&)             the namespace that the request names
//   void f(Call&, Request&, const NamespaceRecord&, Run&)       and the run that it names
//
// A namespace or a run that does not exist is answered here. A check, `Status g(Request&)`, stands between
// the two: what is wrong with the request itself is said before anybody looks for the run. A request that
// names no run at all is told so first.
//
// Built at compile time, one function per method: a handler whose request is not its method's does not
// compile, and has() lets the owner demand that no method is left out. The engine's thread; nothing here can
// fail.
//
// `Host` is what the handlers belong to. It offers
//   const stored::NamespaceRecord* find_namespace(const std::string& name)
//   Result<Run*> resolve(const std::string& namespace_id, const RunName& name)
//   void refuse(Call& call, Status status)
//   Part& part(std::type_identity<Part>)                        for each class of handlers

#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "api/method_types.h"
#include "engine/core.h"
#include "engine/errors.h"
#include "engine/run.h"

namespace holdfast::engine {

// Whatever a request calls the run it is about.
template <typename Request>
RunName run_named_by(const Request& request) {
  static const std::string kAnyChain;
  if constexpr (requires { request.first_execution_run_id(); }) {
    const auto& execution = request.workflow_execution();
    return {execution.workflow_id(), execution.run_id(), request.first_execution_run_id()};
  } else if constexpr (requires { request.workflow_execution(); }) {
    return named(request.workflow_execution());
  } else if constexpr (requires { request.execution(); }) {
    return named(request.execution());
  } else if constexpr (requires { request.update_ref(); }) {
    return named(request.update_ref().workflow_execution());
  } else {
    return {request.workflow_id(), request.run_id(), kAnyChain};
  }
}

// What is wrong with how a request names its run, before anybody looks for it.
template <typename Request>
Status check_named(const Request& request) {
  bool there = true;
  if constexpr (requires { request.workflow_execution(); }) {
    there = request.has_workflow_execution();
  } else if constexpr (requires { request.execution(); }) {
    there = request.has_execution();
  }
  if (!there) return errors::invalid("Execution is not set on request.");
  if constexpr (!requires { request.update_ref(); }) {
    if (run_named_by(request).workflow_id.empty())
      return errors::invalid("WorkflowId is not set on request.");
  }
  return {};
}

template <typename Handler>
struct HandlerTraits;
template <typename P, typename R, typename... Rest>
struct HandlerTraits<void (P::*)(Call&, R&, Rest...)> {
  using Part = P;
  using Request = std::remove_const_t<R>;
  static constexpr bool kNamespace = sizeof...(Rest) >= 1;
  static constexpr bool kRun = sizeof...(Rest) == 2;
};

template <typename Host>
class MethodTable {
 public:
  template <api::Method kMethod, auto kHandler, auto kCheck = nullptr>
  constexpr void on() {
    handlers_[static_cast<std::size_t>(kMethod)] = &MethodTable::template run<kMethod, kHandler, kCheck>;
  }

  constexpr bool has(api::Method method) const {
    return handlers_[static_cast<std::size_t>(method)] != nullptr;
  }
  void call(Host& host, Call& call) const { handlers_[static_cast<std::size_t>(call.method)](host, call); }

 private:
  template <api::Method kMethod, auto kHandler, auto kCheck>
  static void run(Host& host, Call& call) {
    using Traits = HandlerTraits<decltype(kHandler)>;
    using Request = api::RequestOf<kMethod>;
    static_assert(std::is_same_v<typename Traits::Request, Request>, "the handler of another method");
    auto& part = host.part(std::type_identity<typename Traits::Part>());
    // The one downcast: whoever makes a call gives it the request of its method (api/connection.h).
    auto& request = static_cast<Request&>(*call.request);
    if constexpr (!Traits::kNamespace) {
      (part.*kHandler)(call, request);
    } else {
      const auto* record = host.find_namespace(request.namespace_());
      if (record == nullptr) return host.refuse(call, errors::namespace_not_found(request.namespace_()));
      if constexpr (Traits::kRun) {
        if (Status wrong = check_named(request); !wrong.ok()) return host.refuse(call, std::move(wrong));
      }
      if constexpr (kCheck != nullptr) {
        if (Status wrong = (part.*kCheck)(request); !wrong.ok()) return host.refuse(call, std::move(wrong));
      }
      if constexpr (!Traits::kRun) {
        (part.*kHandler)(call, request, *record);
      } else {
        auto found = host.resolve(record->id(), run_named_by(request));
        if (!found) return host.refuse(call, std::move(found.error()));
        (part.*kHandler)(call, request, *record, **found);
      }
    }
  }

  std::array<void (*)(Host&, Call&), api::kMethodCount> handlers_{};
};

}  // namespace holdfast::engine
