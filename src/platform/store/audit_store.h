#pragma once

// AuditStore: the record as who exports it reads it: from its beginning, page by page, oldest first. The part
// of the platform store that the export alone reads; what writes rows is everywhere (platform/store.h).
// Threads and failures are the Store's.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"

namespace holdfast::platform {

// Rows that one page looks at: what a filter leaves out costs no more than this at a time.
inline constexpr std::int64_t kAuditScan = 20'000;

struct AuditFilter {
  AuditFilter() = default;
  std::int64_t after = 0;         // the id behind which the page begins
  std::optional<WallTime> from;   // at this time or later
  std::optional<WallTime> until;  // before this time
  std::string actor;              // empty: everybody
  std::string kind;               // an action, or how it begins: "secret."; empty: all
  std::string subject;            // empty: all
  std::uint32_t limit = 0;
};

struct AuditPage {
  AuditPage() = default;
  std::vector<AuditRow> rows;
  std::int64_t next = 0;  // `after` of the page behind this one
  bool end = false;       // there is nothing behind it now
};

class AuditStore {
 public:
  virtual ~AuditStore() = default;

  virtual Result<AuditPage> audit_page(const AuditFilter& filter) = 0;
};

}  // namespace holdfast::platform
