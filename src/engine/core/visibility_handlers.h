#pragma once

// List and Count, and the calls by which older clients list: Scan, ListOpen, ListClosed. The core only finds
// the namespace: the host answers them from the index, once that has seen all that was committed before the
// call. Made and owned by the core; its thread only.

#include <string>
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
  void scan(Call& call, const ws::ScanWorkflowExecutionsRequest& request,
            const stored::NamespaceRecord& record);
  // What they filter by is put into the words of a query.
  void list_open(Call& call, const ws::ListOpenWorkflowExecutionsRequest& request,
                 const stored::NamespaceRecord& record);
  void list_closed(Call& call, const ws::ListClosedWorkflowExecutionsRequest& request,
                   const stored::NamespaceRecord& record);
  // Refused, as by a Temporal without an archive.
  void list_archived(Call& call, const ws::ListArchivedWorkflowExecutionsRequest& request,
                     const stored::NamespaceRecord& record);

  bool empty() const { return calls_.empty(); }
  std::vector<Output::VisibilityCall> take() { return std::exchange(calls_, {}); }

 private:
  template <typename Request>
  void list_by_query(Call& call, const Request& request, const stored::NamespaceRecord& record);
  template <typename Request>
  void list_by_filters(Call& call, const Request& request, const stored::NamespaceRecord& record,
                       std::string query);
  void pass_on(Output::VisibilityCall call);

  bool indexed_;
  Replies& replies_;
  std::vector<Output::VisibilityCall> calls_;
};

}  // namespace holdfast::engine
