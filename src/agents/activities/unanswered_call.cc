#include "activities/unanswered_call.h"

#include <fmt/format.h>

#include "definition/bind.h"

namespace holdfast::agent {

namespace {

// What is open when a run ends expires with it, before its time: then nobody has answered, not even silence,
// which may be a yes.
bool was_open_at_the_end(const platform::Approval& asked) {
  if (asked.status == platform::ApprovalStatus::kPending) return true;
  return asked.status == platform::ApprovalStatus::kExpired && asked.decided_at && asked.expires_at &&
         *asked.decided_at < *asked.expires_at;
}

}  // namespace

std::optional<std::string> why_not_made(const platform::Approval& asked) {
  const bool question = !asked.question.empty();
  if (was_open_at_the_end(asked)) {
    return question ? "the run ended before anybody answered"
                    : "not called: the run ended before anybody decided whether it may be; it has had no "
                      "effect";
  }
  if (asked.status != platform::ApprovalStatus::kRejected) return std::nullopt;
  return fmt::format("{}rejected by {}{}{}",
                     question ? "" : "not called: ", asked.decided_by.empty() ? "a person" : asked.decided_by,
                     asked.comment.empty() ? "" : ": ", asked.comment);
}

std::optional<std::string> edited_canonical(const platform::Approval& asked, const nlohmann::json& bound) {
  auto arguments = read_json(asked.edited_arguments, kMaxJsonDepth, Integers::kExact);
  if (!arguments || !arguments->is_object() || rebind_arguments(*arguments, bound)) return std::nullopt;
  return dump_json(*arguments);
}

}  // namespace holdfast::agent
