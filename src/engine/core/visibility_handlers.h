#pragma once

// List and Count. The core only finds the namespace: the host answers them from the index, once that has seen
// all that was committed before the call. Made and owned by the core; its thread only.

#include <utility>
#include <vector>

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

class Replies;

class VisibilityHandlers {
 public:
  // `indexed`: there is an index.
  VisibilityHandlers(bool indexed, Replies& replies) : indexed_(indexed), replies_(replies) {}

  void list(Call& call, const ws::ListWorkflowExecutionsRequest& request,
            const stored::NamespaceRecord& record);
  void count(Call& call, const ws::CountWorkflowExecutionsRequest& request,
             const stored::NamespaceRecord& record);

  bool empty() const { return calls_.empty(); }
  std::vector<Output::VisibilityCall> take() { return std::exchange(calls_, {}); }

 private:
  void pass_on(Output::VisibilityCall call);

  bool indexed_;
  Replies& replies_;
  std::vector<Output::VisibilityCall> calls_;
};

}  // namespace holdfast::engine
