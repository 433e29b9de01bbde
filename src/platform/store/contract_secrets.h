#pragma once

// The contract of named secrets (platform/contract.h): rows come back as they were written, each change with
// its audit row, in the order of their names, and nothing is kept that is not sealed.

#include <gmock/gmock.h>

#include <string>

#include "platform/contract.h"
#include "platform/contract_identity.h"
#include "platform/secret_store.h"

namespace holdfast::platform {

inline SecretRow some_secret(std::string_view namespace_name, std::string_view name) {
  SecretRow out;
  out.namespace_name = namespace_name;
  out.name = name;
  out.key_id = "0123456789abcdef";
  out.sealed = "c2VhbGVk";
  out.set_by = "ada";
  out.set_at = WallTime(std::chrono::seconds(5));
  return out;
}

TEST_P(StoreContract, ASecretIsAsItWasLastSetAndEachChangeSaysWho) {
  SecretRow row = some_secret("shop", "TOKEN");
  ASSERT_TRUE(secrets_->put_secret(row, said_by("ada", kSecretSet, "TOKEN")).ok());
  ASSERT_TRUE(secrets_->put_secret(some_secret("other", "TOKEN"), said_by("eve", kSecretSet, "x")).ok());
  ASSERT_TRUE(secrets_->put_secret(some_secret("shop", "KEY"), said_by("ada", kSecretSet, "KEY")).ok());
  row.version = 2;
  row.sealed = "YWdhaW4";
  row.key_id = "another";
  row.set_by = "bob";
  ASSERT_TRUE(secrets_->put_secret(row, said_by("bob", kSecretSet, "TOKEN")).ok());
  close();
  open();
  const auto found = secrets_->secret("shop", "TOKEN");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->version, 2);
  EXPECT_EQ((*found)->sealed, row.sealed);
  EXPECT_EQ((*found)->key_id, "another");
  EXPECT_EQ((*found)->set_by, "bob");
  EXPECT_EQ((*found)->set_at, row.set_at);
  EXPECT_EQ((*found)->used_at, std::nullopt);
  EXPECT_EQ(*secrets_->secret("shop", "NONE"), std::nullopt);
  std::vector<std::string> names;
  for (const SecretRow& one : *secrets_->secrets("", "", 10))
    names.push_back(one.namespace_name + "/" + one.name);
  EXPECT_THAT(names, testing::ElementsAre("other/TOKEN", "shop/KEY", "shop/TOKEN"));
  EXPECT_EQ(secrets_->secrets("shop", "KEY", 10)->size(), 1u);
  EXPECT_EQ(secrets_->secrets("shop", "", 1)->front().name, "KEY");
  EXPECT_EQ(store_->audit_rows("TOKEN", 10)->front().actor, "bob");
}

TEST_P(StoreContract, ASecretIsDeletedOnceAndItsUsesAreNotedWhileItIsThere) {
  ASSERT_TRUE(secrets_->put_secret(some_secret("shop", "A"), said_by("ada", kSecretSet, "A")).ok());
  ASSERT_TRUE(secrets_->put_secret(some_secret("shop", "B"), said_by("ada", kSecretSet, "B")).ok());
  const WallTime used(std::chrono::seconds(60));
  ASSERT_TRUE(secrets_->note_secrets("shop", {{"A", used}, {"GONE", used}}).ok());
  EXPECT_EQ((*secrets_->secret("shop", "A"))->used_at, used);
  EXPECT_EQ((*secrets_->secret("shop", "B"))->used_at, std::nullopt);
  EXPECT_EQ(*secrets_->secret("shop", "GONE"), std::nullopt);
  EXPECT_TRUE(*secrets_->delete_secret("shop", "A", said_by("bob", kSecretDeleted, "A")));
  EXPECT_FALSE(*secrets_->delete_secret("shop", "A", said_by("bob", kSecretDeleted, "A")));
  EXPECT_FALSE(*secrets_->delete_secret("other", "B", said_by("bob", kSecretDeleted, "B")));
  close();
  open();
  EXPECT_EQ(*secrets_->secret("shop", "A"), std::nullopt);
  EXPECT_EQ(store_->audit_rows("A", 10)->size(), 2u);
  EXPECT_EQ(store_->audit_rows("B", 10)->size(), 1u);
}

TEST_P(StoreContract, OfASecretOnlyWhatIsSealedIsKept) {
  for (std::string_view sealed : {"", "the value itself", "\n"}) {
    SecretRow bare = some_secret("shop", "A");
    bare.sealed = sealed;
    EXPECT_EQ(secrets_->put_secret(bare, said_by("ada", kSecretSet, "A")).code(), Code::kInvalidArgument);
  }
  EXPECT_EQ(secrets_->put_secret(some_secret("shop", ""), said_by("ada", kSecretSet, "")).code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(secrets_->secrets("", "", 10)->empty());
}

}  // namespace holdfast::platform
