#pragma once

// Completions within one transaction, for every database (see calls.h, also for what `Rows` is).

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "platform/calls.h"
#include "platform/completion_rules.h"

namespace holdfast::platform::calls {

// find(id), insert(row), update(row)
template <typename Rows>
Result<OpenedCompletion> open_completion(Rows rows, const CompletionOpening& opening, Random& random,
                                         WallTime now) {
  Result<std::optional<Completion>> stored = rows.find(opening.id);
  if (!stored) return fail(stored.error());
  OpenedCompletion out;
  out.token = rules::new_completion_token(opening.id, random);
  Result<Completion> kept = keep(rows, rules::open_completion(opening, out.token, *stored, now));
  if (!kept) return fail(kept.error());
  out.completion = std::move(*kept);
  return out;
}

template <typename Rows>
Result<Completion> complete(Rows rows, const CompletionAttempt& attempt, WallTime now) {
  Result<std::optional<Completion>> stored = rows.find(rules::id_of_token(attempt.token));
  if (!stored) return fail(stored.error());
  return keep(rows, rules::complete(attempt, *stored, now));
}

// None: it was never opened.
template <typename Rows>
Result<std::optional<Completion>> end_completion(Rows rows, std::string_view id, CompletionState as,
                                                 WallTime now) {
  Result<std::optional<Completion>> stored = rows.find(id);
  if (!stored || !*stored) return stored;
  Result<Completion> kept = keep(rows, rules::end_completion(**stored, as, now));
  if (!kept) return fail(kept.error());
  return std::optional<Completion>(std::move(*kept));
}

}  // namespace holdfast::platform::calls
