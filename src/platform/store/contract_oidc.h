#pragma once

// The contract of people and groups of identity providers (platform/contract.h): rows come back as they were
// written, and each change of what a group means with its audit row.

#include <gmock/gmock.h>

#include <string>

#include "platform/contract.h"
#include "platform/contract_identity.h"
#include "platform/oidc_store.h"

namespace holdfast::platform {

TEST_P(StoreContract, APersonOfAProviderIsOnePrincipalForEver) {
  OidcPerson ada;
  ada.issuer = "https://id.example";
  ada.subject = "4711";
  ada.principal = "ada@corp";
  ada.teams = R"(["payments"])";
  ada.at = WallTime(std::chrono::seconds(5));
  ASSERT_TRUE(oidc_->put_oidc_person(ada, said_by("ada@corp", kPersonLinked, "ada@corp")).ok());
  OidcPerson other = ada;
  other.issuer = "https://other.example";
  other.principal = "ada@other";
  ASSERT_TRUE(oidc_->put_oidc_person(other, std::nullopt).ok());
  ada.teams = "[]";
  ada.at = WallTime(std::chrono::seconds(9));
  ASSERT_TRUE(oidc_->put_oidc_person(ada, std::nullopt).ok());
  close();
  open();
  const auto found = oidc_->oidc_person("https://id.example", "4711");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->principal, "ada@corp");
  EXPECT_EQ((*found)->teams, "[]");
  EXPECT_EQ((*found)->at, ada.at);
  EXPECT_EQ((*oidc_->oidc_person_named("ada@other"))->issuer, other.issuer);
  EXPECT_FALSE(*oidc_->oidc_person("https://id.example", "4712"));
  EXPECT_FALSE(*oidc_->oidc_person_named("ada"));
  EXPECT_EQ(store_->audit_rows("ada@corp", 10)->size(), 1u);
  // Two people are not one principal.
  other.subject = "4713";
  EXPECT_FALSE(oidc_->put_oidc_person(other, std::nullopt).ok());
  EXPECT_EQ(oidc_->put_oidc_person(OidcPerson(), std::nullopt).code(), Code::kInvalidArgument);
}

TEST_P(StoreContract, AGroupMeansWhatWasLastSaid) {
  OidcGroup group;
  group.provider = "corp";
  group.name = "/finance/approvers";
  group.roles = R"({"default":["approver"]})";
  group.teams = R"(["finance"])";
  group.set_by = "ada";
  group.set_at = WallTime(std::chrono::seconds(5));
  ASSERT_TRUE(oidc_->put_oidc_group(group, said_by("ada", kGroupSet, "corp")).ok());
  OidcGroup first = group;
  first.name = "admins";
  first.provider = "alpha";
  ASSERT_TRUE(oidc_->put_oidc_group(first, said_by("ada", kGroupSet, "alpha")).ok());
  group.roles = "{}";
  group.set_by = "bob";
  ASSERT_TRUE(oidc_->put_oidc_group(group, said_by("bob", kGroupSet, "corp")).ok());
  close();
  open();
  const auto all = oidc_->oidc_groups("", "", 10);
  ASSERT_TRUE(all) << all.error().to_string();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].provider, "alpha");
  EXPECT_EQ((*all)[1].name, "/finance/approvers");
  EXPECT_EQ((*all)[1].roles, "{}");
  EXPECT_EQ((*all)[1].teams, group.teams);
  EXPECT_EQ((*all)[1].set_by, "bob");
  EXPECT_EQ(oidc_->oidc_groups("alpha", "admins", 10)->front().provider, "corp");
  EXPECT_TRUE(*oidc_->delete_oidc_group("alpha", "admins", said_by("bob", kGroupDeleted, "alpha")));
  EXPECT_FALSE(*oidc_->delete_oidc_group("alpha", "admins", said_by("bob", kGroupDeleted, "alpha")));
  EXPECT_EQ(store_->audit_rows("alpha", 10)->size(), 2u);
  EXPECT_EQ(oidc_->put_oidc_group(OidcGroup(), said_by("bob", kGroupSet, "x")).code(),
            Code::kInvalidArgument);
}

}  // namespace holdfast::platform
