#pragma once

// Rules of completions (rules.h).

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"
#include "platform/completions.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

// "ID.SECRET": the id finds the row, the secret is 256 bits that nobody can guess.
std::string new_completion_token(std::string_view id, Random& random);
// Empty: it is none of ours.
std::string_view id_of_token(std::string_view token);

// The row with one more token. RESOURCE_EXHAUSTED beyond kMaxCompletionTokens.
Result<Change<Completion>> open_completion(const CompletionOpening& opening, std::string_view token,
                                           const std::optional<Completion>& stored, WallTime now);
// NOT_FOUND: forged, or forgotten; OUT_OF_RANGE: too late; FAILED_PRECONDITION: the run is over;
// ALREADY_EXISTS: used, and for something else. The same again is no change.
Result<Change<Completion>> complete(const CompletionAttempt& attempt, const std::optional<Completion>& stored,
                                    WallTime now);
// By the run: what stands when nobody came before. `as`: kExpired or kClosed.
Change<Completion> end_completion(const Completion& stored, CompletionState as, WallTime now);

}  // namespace holdfast::platform::rules
