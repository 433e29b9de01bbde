// What the record says of a run that begins, that somebody speaks into, and that ends.

#include "platform/audit_rules.h"

#include <gtest/gtest.h>

#include "base/sha256.h"

namespace holdfast::platform::rules {
namespace {

TEST(AuditRules, AStartSaysWhoWhatAndWhere) {
  RunBegan began;
  began.run = "r-1";
  began.agent = "refunds";
  began.version = "v";
  began.by = "ada";
  began.input_sha256 = "abc";
  const AuditRow row = audit_of_start(began);
  EXPECT_EQ(row.actor, "ada");
  EXPECT_EQ(row.action, "run.started");
  EXPECT_EQ(row.subject, "r-1");
  EXPECT_EQ(row.detail, R"({"agent":"refunds","conversation":"r-1","input_sha256":"abc","version":"v"})");
  began.by = "";
  began.conversation = "c";
  began.environment = "production";
  began.parent = "r-0";
  EXPECT_EQ(audit_of_start(began).actor, kServerActor);
  EXPECT_EQ(audit_of_start(began).detail,
            R"({"agent":"refunds","conversation":"c","environment":"production","input_sha256":"abc",)"
            R"("parent":"r-0","version":"v"})");
}

TEST(AuditRules, AnEndCertifiesWhatWasSaid) {
  Bill bill;
  bill.run = "r-1";
  bill.agent = "refunds";
  bill.version = "v";
  bill.status = "completed";
  EXPECT_EQ(audit_of_end(bill, std::nullopt).detail,
            R"({"agent":"refunds","status":"completed","version":"v"})");
  RunSaid said;
  said.first = 1;
  said.last.conversation = "r-1";
  said.last.sequence = 4;
  said.last.sha256 = "chain";
  const AuditRow row = audit_of_end(bill, said);
  EXPECT_EQ(row.actor, "agent:refunds");
  EXPECT_EQ(row.action, "run.ended");
  EXPECT_EQ(row.detail,
            R"({"agent":"refunds","branch":0,"conversation":"r-1","first":1,"last":4,"sha256":"chain",)"
            R"("status":"completed","version":"v"})");
  bill.error_type = "Terminated";
  EXPECT_NE(audit_of_end(bill, said).detail.find(R"("error_type":"Terminated")"), std::string::npos);
}

TEST(AuditRules, AMessageIsNamedByItsHash) {
  const AuditRow row = audit_of_message("r-1", "m", "bob", "stop it");
  EXPECT_EQ(row.actor, "bob");
  EXPECT_EQ(row.action, "run.message");
  EXPECT_EQ(row.subject, "r-1");
  EXPECT_EQ(row.detail, R"({"message":"m","text_sha256":")" + sha256_hex("stop it") + R"("})");
}

}  // namespace
}  // namespace holdfast::platform::rules
