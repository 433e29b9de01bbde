// A decision is the server's, or it is none: whatever is changed about a signed one is seen.

#include "protocol/decision_signature.h"

#include <gtest/gtest.h>

#include <functional>

namespace holdfast::protocol {
namespace {

const std::string kSeed(32, 's');
constexpr std::int64_t kNow = 1'700'000'000'000;

Decision edited() {
  Decision out;
  out.approval = "ap-1";
  out.decision = DecisionKind::kEdit;
  out.arguments_sha256 = std::string(64, 'a');
  out.edited_arguments = {{"amount", 250.5},
                          {"to",
                           "B\xc3\xb6"
                           "b"}};
  out.decided_by = "ada";
  out.comment = "fine";
  out.roles = {"approver"};
  return out;
}

TEST(DecisionSignature, SurvivesTheWayToTheRun) {
  Decision decision = edited();
  decision.comment = "no \xff text";
  sign(decision, kSeed, kNow);
  const Decision arrived =
      Json::parse(Json(decision).dump(-1, ' ', false, Json::error_handler_t::replace)).get<Decision>();
  EXPECT_TRUE(verify(arrived, decision_key(kSeed), kNow).ok());
  EXPECT_TRUE(verify(arrived, decision_key(kSeed), kNow + kSignatureMs - 1).ok());
  EXPECT_EQ(verify(arrived, decision_key(kSeed), kNow + kSignatureMs).code(), Code::kPermissionDenied);
}

TEST(DecisionSignature, CoversWhateverCounts) {
  const std::pair<const char*, std::function<void(Decision&)>> changes[] = {
      {"approval", [](Decision& d) { d.approval = "ap-2"; }},
      {"kind", [](Decision& d) { d.decision = DecisionKind::kApprove; }},
      {"hash", [](Decision& d) { d.arguments_sha256 = std::string(64, 'b'); }},
      {"no hash", [](Decision& d) { d.arguments_sha256.clear(); }},
      {"arguments", [](Decision& d) { d.edited_arguments["amount"] = 9999; }},
      {"no arguments", [](Decision& d) { d.edited_arguments = nullptr; }},
      {"who", [](Decision& d) { d.decided_by = "eve"; }},
      {"comment", [](Decision& d) { d.comment = "no"; }},
      {"comment into name", [](Decision& d) { d.decided_by = "adafine", d.comment = ""; }},
      {"expiry", [](Decision& d) { d.expires_at_ms += 1; }},
      {"roles", [](Decision& d) { d.roles = {"approver", "admin"}; }},
      {"no roles", [](Decision& d) { d.roles.clear(); }},
      {"scope", [](Decision& d) { d.scope = "run"; }},
      {"no signature", [](Decision& d) { d.signature.clear(); }},
      {"part of it", [](Decision& d) { d.signature.pop_back(); }},
      {"another", [](Decision& d) { d.signature = std::string(86, 'A'); }},
      {"no base64", [](Decision& d) { d.signature = "\n"; }},
  };
  for (const auto& [what, change] : changes) {
    Decision decision = edited();
    sign(decision, kSeed, kNow);
    change(decision);
    EXPECT_EQ(verify(decision, decision_key(kSeed), kNow).code(), Code::kPermissionDenied) << what;
  }
}

TEST(DecisionSignature, IsOfOneServer) {
  Decision decision = edited();
  sign(decision, std::string(32, 't'), kNow);
  EXPECT_FALSE(verify(decision, decision_key(kSeed), kNow).ok());
  EXPECT_FALSE(verify(decision, "", kNow).ok());
}

TEST(DecisionSignature, NamesTheArguments) {
  Decision decision = edited();
  decision.arguments_sha256.clear();
  sign(decision, kSeed, kNow);
  EXPECT_FALSE(verify(decision, decision_key(kSeed), kNow).ok());
}

}  // namespace
}  // namespace holdfast::protocol
