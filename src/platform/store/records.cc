#include "platform/records.h"

#include "protocol/words.h"

namespace holdfast::platform {

namespace {

using protocol::Word;

constexpr protocol::Words kApprovalStatuses(
    "status of an approval",
    {Word{ApprovalStatus::kPending, "pending"}, Word{ApprovalStatus::kApproved, "approved"},
     Word{ApprovalStatus::kRejected, "rejected"}, Word{ApprovalStatus::kExpired, "expired"},
     Word{ApprovalStatus::kEdited, "edited"}, Word{ApprovalStatus::kAnswered, "answered"}});

}  // namespace

std::string_view to_string(ApprovalStatus status) {
  return kApprovalStatuses.text(status);
}

std::optional<ApprovalStatus> approval_status(std::string_view word) {
  return kApprovalStatuses.find(word);
}

}  // namespace holdfast::platform
