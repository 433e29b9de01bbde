#pragma once

// A row of `approvals`, as lists of them are read. Private to this room.

#include <cstdint>

#include "platform/records.h"
#include "platform_sqlite/row_check.h"
#include "sqlite/statement.h"

#define APPROVAL_COLUMNS                                                                          \
  "id, run, agent, tool, arguments, arguments_sha256, reason, requested_at, expires_at, status, " \
  "decided_by, decided_at, comment, edited_arguments"
// With what a person is asked, where it is no call.
#define QUESTION "(SELECT question FROM questions WHERE approval = approvals.id)"
#define QUESTION_DAMAGED                                                            \
  "EXISTS (SELECT 1 FROM questions WHERE approval = approvals.id AND " ROW_DAMAGED( \
      "questions.checksum", "questions", "approval, question") ")"
#define READ_APPROVALS                                        \
  "SELECT " APPROVAL_COLUMNS ", coalesce(" QUESTION           \
  ", ''), n, status NOT BETWEEN 0 AND 5 OR " QUESTION_DAMAGED \
  " OR " ROW_DAMAGED("checksum", "approvals", APPROVAL_COLUMNS) " FROM approvals "

namespace holdfast::platform {

inline constexpr sqlite::Literal kPlaceOfApproval = "SELECT n FROM approvals WHERE id = ?1";

inline Approval approval_of(const sqlite::Statement& row) {
  Approval out;
  row.read(out.id, out.run, out.agent, out.tool, out.arguments, out.arguments_sha256, out.reason,
           out.requested_at, out.expires_at, out.status, out.decided_by, out.decided_at, out.comment,
           out.edited_arguments, out.question);
  return out;
}
inline std::int64_t number_of(const sqlite::Statement& row) {
  return row.integer(15);
}

}  // namespace holdfast::platform
