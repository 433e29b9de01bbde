// Runs, whose calls somebody outside completes.

#include <fmt/format.h>

#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

Status as_fault(const Status& error) {
  switch (error.code()) {
    case Code::kNotFound: return with_fault(error.code(), RunFault::kCompletionNotFound, error.message());
    case Code::kOutOfRange: return with_fault(error.code(), RunFault::kCompletionExpired, error.message());
    case Code::kAlreadyExists: return with_fault(error.code(), RunFault::kCompletionUsed, error.message());
    case Code::kFailedPrecondition:
      return with_fault(error.code(), RunFault::kCompletionClosed, error.message());
    default: return error;
  }
}

}  // namespace

Result<platform::Completion> Runs::complete(const platform::CompletionAttempt& attempt) {
  auto completion = impl_->store().complete(attempt);
  if (!completion) return fail(as_fault(completion.error()));
  impl_->completions->send(*completion);
  return completion;
}

}  // namespace holdfast::runs
