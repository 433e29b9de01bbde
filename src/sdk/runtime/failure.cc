#include "holdfast/failure.h"

namespace holdfast {

std::string Failure::to_string() const {
  std::string out;
  for (const Failure* at = this; at != nullptr; at = at->cause().get()) {
    if (!out.empty()) out += " <- ";
    out += at->kind();
    if (const auto* application = dynamic_cast<const ApplicationFailure*>(at);
        application && !application->type().empty()) {
      out += '(' + application->type() + ')';
    }
    out += ": " + at->message();
  }
  return out;
}

HOLDFAST_PUBLIC bool is_canceled(const Failure& failure) {
  if (dynamic_cast<const CanceledFailure*>(&failure) != nullptr) return true;
  const bool wraps = dynamic_cast<const ActivityFailure*>(&failure) != nullptr ||
                     dynamic_cast<const ChildWorkflowFailure*>(&failure) != nullptr;
  return wraps && failure.cause() && is_canceled(*failure.cause());
}

}  // namespace holdfast
