#include "engine/visibility_handlers.h"

#include <google/protobuf/util/time_util.h>

#include <string_view>

#include "engine/errors.h"
#include "engine/replies.h"

namespace holdfast::engine {

using Kind = Output::VisibilityCall::Kind;

namespace {

std::map<std::string, enums::IndexedValueType> own_attributes(const stored::NamespaceRecord& record) {
  std::map<std::string, enums::IndexedValueType> own;
  for (const auto& [name, type] : record.search_attributes()) own.emplace(name, type);
  return own;
}

// `name` = 'text', with the text's own quotes doubled.
std::string equals(std::string_view name, std::string_view text) {
  std::string out = " AND " + std::string(name) + " = '";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

// Appends what a call of an older kind filters by. `time`: what its range of times is about.
template <typename Request>
Status add_filters(const Request& request, std::string_view time, std::string* query) {
  using google::protobuf::util::TimeUtil;
  const auto& range = request.start_time_filter();
  for (const auto* bound : {&range.earliest_time(), &range.latest_time()}) {
    if (bound->seconds() < TimeUtil::kTimestampMinSeconds ||
        bound->seconds() > TimeUtil::kTimestampMaxSeconds || bound->nanos() < 0 ||
        bound->nanos() > 999'999'999) {
      return errors::invalid("StartTimeFilter has an invalid time.");
    }
  }
  if (range.has_earliest_time() && range.has_latest_time() && range.latest_time() < range.earliest_time())
    return errors::invalid("EarliestTime in StartTimeFilter should not be larger than LatestTime.");
  const std::string name = " AND " + std::string(time);
  if (range.has_earliest_time()) *query += name + " >= '" + TimeUtil::ToString(range.earliest_time()) + "'";
  if (range.has_latest_time()) *query += name + " <= '" + TimeUtil::ToString(range.latest_time()) + "'";
  if (request.has_execution_filter()) {
    *query += equals("WorkflowId", request.execution_filter().workflow_id());
    const std::string& run_id = request.execution_filter().run_id();
    if (!run_id.empty()) *query += equals("RunId", run_id);
  }
  if (request.has_type_filter()) *query += equals("WorkflowType", request.type_filter().name());
  return {};
}

}  // namespace

template <typename Request>
void VisibilityHandlers::list_by_query(Call& call, const Request& request,
                                       const stored::NamespaceRecord& record) {
  pass_on({.kind = Kind::kList,
           .call = std::move(call),
           .namespace_id = record.id(),
           .query = request.query(),
           .page_size = request.page_size(),
           .page_token = request.next_page_token(),
           .search_attributes = own_attributes(record)});
}

template <typename Request>
void VisibilityHandlers::list_by_filters(Call& call, const Request& request,
                                         const stored::NamespaceRecord& record, std::string query) {
  pass_on({.kind = Kind::kList,
           .call = std::move(call),
           .namespace_id = record.id(),
           .query = std::move(query),
           .page_size = request.maximum_page_size(),
           .page_token = request.next_page_token()});
}

void VisibilityHandlers::list(Call& call, const ws::ListWorkflowExecutionsRequest& request,
                              const stored::NamespaceRecord& record) {
  list_by_query(call, request, record);
}

void VisibilityHandlers::count(Call& call, const ws::CountWorkflowExecutionsRequest& request,
                               const stored::NamespaceRecord& record) {
  pass_on({.kind = Kind::kCount,
           .call = std::move(call),
           .namespace_id = record.id(),
           .query = request.query(),
           .search_attributes = own_attributes(record)});
}

void VisibilityHandlers::scan(Call& call, const ws::ScanWorkflowExecutionsRequest& request,
                              const stored::NamespaceRecord& record) {
  list_by_query(call, request, record);
}

void VisibilityHandlers::list_open(Call& call, const ws::ListOpenWorkflowExecutionsRequest& request,
                                   const stored::NamespaceRecord& record) {
  std::string query = "ExecutionStatus = 'Running'";
  if (Status wrong = add_filters(request, "StartTime", &query); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  list_by_filters(call, request, record, std::move(query));
}

void VisibilityHandlers::list_closed(Call& call, const ws::ListClosedWorkflowExecutionsRequest& request,
                                     const stored::NamespaceRecord& record) {
  std::string query = "ExecutionStatus != 'Running'";
  if (Status wrong = add_filters(request, "CloseTime", &query); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  if (request.has_status_filter()) {
    const auto status = request.status_filter().status();
    if (status == enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED ||
        status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) {
      return replies_.send(call, errors::invalid("StatusFilter must be specified and must be not Running."));
    }
    query += " AND ExecutionStatus = " + std::to_string(status);
  }
  list_by_filters(call, request, record, std::move(query));
}

void VisibilityHandlers::list_archived(Call& call, const ws::ListArchivedWorkflowExecutionsRequest&,
                                       const stored::NamespaceRecord&) {
  replies_.send(call, errors::invalid("Cluster is not configured for visibility archival."));
}

void VisibilityHandlers::pass_on(Output::VisibilityCall call) {
  if (!indexed_) {
    return replies_.send(call.call,
                         Status(Code::kUnimplemented, "This server runs without a visibility index."));
  }
  calls_.push_back(std::move(call));
}

}  // namespace holdfast::engine
