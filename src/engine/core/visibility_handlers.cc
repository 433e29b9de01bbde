#include "engine/visibility_handlers.h"

namespace holdfast::engine {

void VisibilityHandlers::pass_on(Call& call, const stored::NamespaceRecord& record) {
  if (!indexed_) {
    return replies_.send(call, Status(Code::kUnimplemented, "This server runs without a visibility index."));
  }
  calls_.push_back({std::move(call), record.id()});
}

}  // namespace holdfast::engine
