#pragma once

// The registry of a namespace's own search attributes: which names its executions may give values, and of
// which type. Kept with the namespace. A name that is removed takes no more values and no filter; what runs
// have stays with them. Made and owned by the core; its thread only.

#include "api/messages.h"
#include "api/operator_messages.h"
#include "engine/core.h"
#include "engine/namespaces.h"
#include "history/stored.h"

namespace holdfast::engine {

struct EngineLimits;
class Replies;

class SearchAttributeHandlers {
 public:
  SearchAttributeHandlers(const EngineLimits& limits, Namespaces& namespaces, Replies& replies)
      : limits_(limits), namespaces_(namespaces), replies_(replies) {}

  // All of them or none. One that is there with its type already is no fault.
  void add(Call& call, const ops::AddSearchAttributesRequest& request, const Namespaces::Record& record);
  // One that is not there is no fault.
  void remove(Call& call, const ops::RemoveSearchAttributesRequest& request,
              const Namespaces::Record& record);
  // The names that queries may use, of every namespace: the request names none, so it tells Temporal's own.
  void keys(Call& call, const ws::GetSearchAttributesRequest& request);
  void list(Call& call, const ops::ListSearchAttributesRequest& request, const Namespaces::Record& record);

 private:
  Status check(const std::string& name, int type, const Namespaces::Record& record) const;

  const EngineLimits& limits_;
  Namespaces& namespaces_;
  Replies& replies_;
};

}  // namespace holdfast::engine
