#pragma once

// The contract of who may use a server (platform/contract.h): rows come back as they were written, each
// change with its audit row, and a key of the server's is the first that was given.

#include <gmock/gmock.h>

#include <string>

#include "base/sha256.h"
#include "platform/contract.h"

namespace holdfast::platform {

inline AuditRow said_by(std::string_view actor, std::string_view action, std::string_view subject) {
  AuditRow out;
  out.actor = actor;
  out.action = action;
  out.subject = subject;
  out.detail = "{}";
  return out;
}

inline Credential some_key(std::string_view id, std::string_view principal) {
  Credential out;
  out.id = id;
  out.principal = principal;
  out.label = "for tests";
  out.sha256 = sha256_hex(id);
  out.created_by = "ada";
  out.created_at = WallTime(std::chrono::seconds(5));
  return out;
}

TEST_P(StoreContract, APrincipalIsAsItWasLastWrittenAndEachChangeSaysWho) {
  Principal ada;
  ada.name = "ada";
  ada.roles = R"({"default":["admin"]})";
  ada.password = "$argon2id$...";
  ada.created_by = "set-up";
  ada.created_at = WallTime(std::chrono::seconds(7));
  ASSERT_TRUE(identities_->put_principal(ada, said_by("set-up", kPrincipalAdded, "ada")).ok());
  Principal robot;
  robot.name = "robot";
  robot.kind = PrincipalKind::kService;
  ASSERT_TRUE(identities_->put_principal(robot, said_by("ada", kPrincipalAdded, "robot")).ok());
  ada.roles = R"({"default":["reader"]})";
  ada.disabled = true;
  ASSERT_TRUE(identities_->put_principal(ada, said_by("bob", kPrincipalChanged, "ada")).ok());
  close();
  open();
  const auto all = identities_->principals("", 10);
  ASSERT_TRUE(all) << all.error().to_string();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].name, "ada");
  EXPECT_EQ((*all)[0].roles, ada.roles);
  EXPECT_EQ((*all)[0].password, ada.password);
  EXPECT_EQ((*all)[0].created_at, ada.created_at);
  EXPECT_TRUE((*all)[0].disabled);
  EXPECT_EQ((*all)[1].kind, PrincipalKind::kService);
  EXPECT_EQ(identities_->principals("ada", 10)->front().name, "robot");
  const auto said = store_->audit_rows("ada", 10);
  ASSERT_EQ(said->size(), 2u);
  EXPECT_EQ((*said)[0].actor, "bob");
  EXPECT_EQ((*said)[0].action, kPrincipalChanged);
  EXPECT_EQ((*said)[0].at, clock_.now());
  EXPECT_EQ(identities_->put_principal(Principal(), said_by("ada", kPrincipalAdded, "")).code(),
            Code::kInvalidArgument);
}

TEST_P(StoreContract, ACredentialIsKeptByItsHashAloneAndIsRevoked) {
  Credential key = some_key("k1", "ada");
  key.expires_at = WallTime(std::chrono::seconds(100));
  ASSERT_TRUE(identities_->put_credential(key, said_by("ada", kKeyCreated, "k1")).ok());
  Credential session = some_key("s1", "ada");
  session.kind = CredentialKind::kSession;
  ASSERT_TRUE(identities_->put_credential(session, said_by("ada", kSignedIn, "ada")).ok());
  Credential bare = some_key("k2", "ada");
  bare.sha256 = "the secret itself";
  EXPECT_EQ(identities_->put_credential(bare, said_by("ada", kKeyCreated, "k2")).code(),
            Code::kInvalidArgument);

  key.revoked_at = WallTime(std::chrono::seconds(50));
  ASSERT_TRUE(identities_->put_credential(key, said_by("bob", kCredentialRevoked, "k1")).ok());
  session.used_at = WallTime(std::chrono::seconds(60));
  ASSERT_TRUE(identities_->note_credentials({session}, {}).ok());
  close();
  open();
  auto all = identities_->credentials("", 10);
  ASSERT_TRUE(all) << all.error().to_string();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].id, "k1");
  EXPECT_EQ((*all)[0].sha256, key.sha256);
  EXPECT_EQ((*all)[0].expires_at, key.expires_at);
  EXPECT_EQ((*all)[0].revoked_at, key.revoked_at);
  EXPECT_EQ((*all)[0].used_at, std::nullopt);
  EXPECT_EQ((*all)[1].kind, CredentialKind::kSession);
  EXPECT_EQ((*all)[1].used_at, session.used_at);
  EXPECT_EQ(store_->audit_rows("k1", 10)->front().actor, "bob");
  ASSERT_TRUE(identities_->note_credentials({}, {"s1", "nobody"}).ok());
  EXPECT_EQ(identities_->credentials("", 10)->size(), 1u);
}

TEST_P(StoreContract, AKeyOfTheServersIsTheFirstThatWasGiven) {
  EXPECT_EQ(*identities_->server_key("decisions", ""), "");
  EXPECT_EQ(*identities_->server_key("decisions", "first"), "first");
  EXPECT_EQ(*identities_->server_key("decisions", "second"), "first");
  EXPECT_EQ(*identities_->server_key("other", "second"), "second");
  close();
  open();
  EXPECT_EQ(*identities_->server_key("decisions", "third"), "first");
}

}  // namespace holdfast::platform
