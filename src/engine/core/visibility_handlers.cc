#include "engine/visibility_handlers.h"

#include "engine/replies.h"

namespace holdfast::engine {

using Kind = Output::VisibilityCall::Kind;

namespace {

std::map<std::string, enums::IndexedValueType> own_attributes(const stored::NamespaceRecord& record) {
  std::map<std::string, enums::IndexedValueType> own;
  for (const auto& [name, type] : record.search_attributes()) own.emplace(name, type);
  return own;
}

}  // namespace

void VisibilityHandlers::list(Call& call, const ws::ListWorkflowExecutionsRequest& request,
                              const stored::NamespaceRecord& record) {
  pass_on({.kind = Kind::kList,
           .call = std::move(call),
           .namespace_id = record.id(),
           .query = request.query(),
           .page_size = request.page_size(),
           .page_token = request.next_page_token(),
           .search_attributes = own_attributes(record)});
}

void VisibilityHandlers::count(Call& call, const ws::CountWorkflowExecutionsRequest& request,
                               const stored::NamespaceRecord& record) {
  pass_on({.kind = Kind::kCount,
           .call = std::move(call),
           .namespace_id = record.id(),
           .query = request.query(),
           .search_attributes = own_attributes(record)});
}

void VisibilityHandlers::pass_on(Output::VisibilityCall call) {
  if (!indexed_) {
    return replies_.send(call.call,
                         Status(Code::kUnimplemented, "This server runs without a visibility index."));
  }
  calls_.push_back(std::move(call));
}

}  // namespace holdfast::engine
