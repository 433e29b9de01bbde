#include "engine/visibility_handlers.h"

#include "engine/replies.h"

namespace holdfast::engine {

using Kind = Output::VisibilityCall::Kind;

void VisibilityHandlers::list(Call& call, const ws::ListWorkflowExecutionsRequest& request,
                              const stored::NamespaceRecord& record) {
  pass_on({.kind = Kind::kList,
           .call = std::move(call),
           .namespace_id = record.id(),
           .query = request.query(),
           .page_size = request.page_size(),
           .page_token = request.next_page_token()});
}

void VisibilityHandlers::count(Call& call, const ws::CountWorkflowExecutionsRequest& request,
                               const stored::NamespaceRecord& record) {
  pass_on(
      {.kind = Kind::kCount, .call = std::move(call), .namespace_id = record.id(), .query = request.query()});
}

void VisibilityHandlers::pass_on(Output::VisibilityCall call) {
  if (!indexed_) {
    return replies_.send(call.call,
                         Status(Code::kUnimplemented, "This server runs without a visibility index."));
  }
  calls_.push_back(std::move(call));
}

}  // namespace holdfast::engine
