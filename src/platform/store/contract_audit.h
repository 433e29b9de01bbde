#pragma once

// The contract of the record's export (platform/contract.h): every row once, oldest first, whatever the
// pages, and filters that leave out and never skip.

#include <gmock/gmock.h>

#include <string>

#include "platform/audit_store.h"
#include "platform/contract.h"
#include "platform/contract_identity.h"

namespace holdfast::platform {

inline std::string subjects_of(AuditStore& store, AuditFilter filter) {
  std::string out;
  while (true) {
    const auto page = store.audit_page(filter);
    EXPECT_TRUE(page) << page.error().to_string();
    if (!page) return out;
    for (const AuditRow& row : page->rows) out += row.subject;
    if (page->end) return out;
    EXPECT_GT(page->next, filter.after);
    filter.after = page->next;
  }
}

TEST_P(StoreContract, TheRecordIsReadFromItsBeginningPageByPage) {
  const WallTime began = clock_.now();
  for (const char* subject : {"a", "b", "c", "d", "e"}) {
    ASSERT_TRUE(identities_
                    ->audit(said_by(subject[0] < 'c' ? "ada" : "bob",
                                    subject[0] == 'b' ? kSignedIn : "secret.set", subject))
                    .ok());
    clock_.ns += 1'000'000'000;
  }
  close();
  open();
  for (std::uint32_t limit : {1, 2, 5, 100}) {
    AuditFilter all;
    all.limit = limit;
    EXPECT_EQ(subjects_of(*audit_, all), "abcde") << limit;
    AuditFilter of_ada = all;
    of_ada.actor = "ada";
    EXPECT_EQ(subjects_of(*audit_, of_ada), "ab");
    AuditFilter kind = all;
    kind.kind = "secret.";
    EXPECT_EQ(subjects_of(*audit_, kind), "acde");
    kind.kind = "secret.set";
    EXPECT_EQ(subjects_of(*audit_, kind), "acde");
    kind.kind = "secret_set";
    EXPECT_EQ(subjects_of(*audit_, kind), "");
    AuditFilter subject = all;
    subject.subject = "d";
    EXPECT_EQ(subjects_of(*audit_, subject), "d");
    AuditFilter times = all;
    times.from = began + std::chrono::seconds(1);
    times.until = began + std::chrono::seconds(3);
    EXPECT_EQ(subjects_of(*audit_, times), "bc");
  }
  // What comes later is behind the cursor of now.
  AuditFilter all;
  const auto page = audit_->audit_page(all);
  ASSERT_TRUE(page && page->end);
  all.after = page->next;
  EXPECT_TRUE(audit_->audit_page(all)->rows.empty());
  ASSERT_TRUE(identities_->audit(said_by("ada", kSignedIn, "f")).ok());
  EXPECT_EQ(subjects_of(*audit_, all), "f");
}

}  // namespace holdfast::platform
