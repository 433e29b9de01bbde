#include "platform/completion_rules.h"

#include <fmt/format.h>


#include "base/base64.h"
#include "base/ids.h"
#include "base/sha256.h"

namespace holdfast::platform {

std::string_view to_string(CompletionState state) {
  switch (state) {
    case CompletionState::kOpen: return "open";
    case CompletionState::kCompleted: return "completed";
    case CompletionState::kFailed: return "failed";
    case CompletionState::kExpired: return "expired";
    case CompletionState::kClosed: return "closed";
  }
  return "";
}

namespace rules {

namespace {

constexpr std::size_t kHashCharacters = 64;
constexpr std::size_t kSecretBytes = 32;

bool knows(const Completion& row, std::string_view token) {
  const std::string hash = sha256_hex(token);
  bool known = false;
  for (std::size_t at = 0; at + kHashCharacters <= row.tokens.size(); at += kHashCharacters) {
    known = equal_in_constant_time(std::string_view(row.tokens).substr(at, kHashCharacters), hash) || known;
  }
  return known;
}

}  // namespace

std::string new_completion_token(std::string_view id, Random& random) {
  return fmt::format("{}.{}", id, base64url(random_bytes(random, kSecretBytes)));
}

std::string_view id_of_token(std::string_view token) {
  const std::size_t dot = token.find('.');
  return dot == std::string_view::npos ? std::string_view() : token.substr(0, dot);
}

Result<Change<Completion>> open_completion(const CompletionOpening& opening, std::string_view token,
                                           const std::optional<Completion>& stored, WallTime now) {
  if (Status status = check_name("a completion", opening.id); !status.ok()) return fail(std::move(status));
  if (!stored) {
    Completion row;
    row.id = opening.id;
    row.run = opening.run;
    row.tool = opening.tool;
    row.step = opening.step;
    row.deadline = opening.deadline;
    row.tokens = sha256_hex(token);
    row.at = now;
    return Change<Completion>{std::move(row), Write::kInsert};
  }
  if (stored->run != opening.run || stored->tool != opening.tool)
    return fail(Code::kFailedPrecondition,
                fmt::format("the completion {} belongs to another call", opening.id));
  if (stored->state != CompletionState::kOpen) return Change<Completion>{*stored};
  if (stored->tokens.size() >= kMaxCompletionTokens * kHashCharacters) {
    return fail(Code::kResourceExhausted,
                fmt::format("{} attempts of this call have handed out a token already; "
                            "no more are made",
                            kMaxCompletionTokens));
  }
  Completion row = *stored;
  row.tokens += sha256_hex(token);
  return Change<Completion>{std::move(row), Write::kUpdate};
}

Result<Change<Completion>> complete(const CompletionAttempt& attempt, const std::optional<Completion>& stored,
                                    WallTime now) {
  if (!stored || !knows(*stored, attempt.token)) return fail(Code::kNotFound, "no call waits for this token");
  const CompletionState wanted = attempt.succeeded ? CompletionState::kCompleted : CompletionState::kFailed;
  switch (stored->state) {
    case CompletionState::kOpen: break;
    case CompletionState::kCompleted:
    case CompletionState::kFailed:
      if (stored->state == wanted && stored->result == attempt.result) return Change<Completion>{*stored};
      return fail(Code::kAlreadyExists,
                  fmt::format("the token has been used: the call is {}, and something else was said then",
                              to_string(stored->state)));
    case CompletionState::kExpired:
      return fail(Code::kOutOfRange, "nobody completed the call in time, and its run has been told so");
    case CompletionState::kClosed:
      return fail(Code::kFailedPrecondition, "the run that made the call is over");
  }
  if (now >= stored->deadline) return fail(Code::kOutOfRange, "the time for this completion is over");
  Completion row = *stored;
  row.state = wanted;
  row.result = attempt.result;
  row.ended_at = now;
  return Change<Completion>{std::move(row), Write::kUpdate};
}

Change<Completion> end_completion(const Completion& stored, CompletionState as, WallTime now) {
  Change<Completion> out{stored};
  if (stored.state != CompletionState::kOpen && stored.told) return out;
  out.write = Write::kUpdate;
  out.row.told = true;
  if (stored.state != CompletionState::kOpen) return out;
  out.row.state = as;
  out.row.ended_at = now;
  return out;
}

}  // namespace rules
}  // namespace holdfast::platform
