// The vault on a real store: what goes in is used as it is, byte for byte, and stands nowhere else; a key
// that is not here, a row that is moved and a file that is damaged each say so. Time moves when a test says
// so.

#include "secrets/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/base64.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::secrets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

// Does what it is given when a test says so.
class Later final : public Executor {
 public:
  void post(Job job) override { jobs_.push_back(std::move(job)); }
  void run() {
    for (auto& job : std::exchange(jobs_, {})) job();
  }

 private:
  std::vector<Job> jobs_;
};

class VaultTest : public ::testing::Test {
 protected:
  VaultTest() { open(); }

  void open(KeyRing keys = {}, std::string namespace_name = "default") {
    vault_.reset();
    stores_ = {};
    platform::SqliteOptions options;
    options.directory = folder_.path();
    auto stores = platform::open_sqlite(options, clock_, random_, flusher_);
    ASSERT_TRUE(stores) << stores.error().to_string();
    stores_ = *std::move(stores);
    VaultOptions wanted;
    wanted.namespace_name = std::move(namespace_name);
    wanted.keys = keys.empty() ? made_ : std::move(keys);
    wanted.key_file = "/etc/holdfast/secrets.key";
    wanted.make_key = [this]() -> Result<KeyRing> {
      made_ = KeyRing::fresh(random_);
      return made_;
    };
    auto vault = Vault::open(std::move(wanted), *stores_.secrets, clock_, random_, writer_);
    ASSERT_TRUE(vault) << vault.error().to_string();
    vault_ = *std::move(vault);
  }

  std::string everything_on_disk() {
    std::string out;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path())) {
      std::ifstream in(file.path(), std::ios::binary);
      out.append(std::istreambuf_iterator<char>(in), {});
    }
    return out;
  }

  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  fixture::TemporaryDirectory folder_;
  os::ThreadExecutor flusher_{"flusher"};
  Later writer_;
  KeyRing made_;
  platform::OpenStores stores_;
  std::unique_ptr<Vault> vault_;
};

TEST_F(VaultTest, AValueIsUsedAsItWasSetAndStandsNowhereElse) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (const std::string& value :
       {std::string("x"), all, std::string(kMaxSecretBytes, 'z'), std::string("a line\n")}) {
    ASSERT_TRUE(vault_->set("TOKEN", value, "ada"));
    EXPECT_EQ(*vault_->use("TOKEN"), value);
  }
  ASSERT_TRUE(vault_->set("TOKEN", "sk-a-value-to-look-for", "ada"));
  open();
  EXPECT_EQ(*vault_->use("TOKEN"), "sk-a-value-to-look-for");
  EXPECT_THAT(everything_on_disk(), Not(HasSubstr("sk-a-value-to-look-for")));
  EXPECT_THAT(everything_on_disk(), Not(HasSubstr(base64url("sk-a-value-to-look-for"))));
  EXPECT_EQ(vault_->set("TOKEN", "", "ada").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(vault_->set("TOKEN", std::string(kMaxSecretBytes + 1, 'z'), "ada").error().code(),
            Code::kInvalidArgument);
  for (const char* name : {"", "a b", "a/b", "a}", "a@b", "é", ".", ".."})
    EXPECT_EQ(vault_->set(name, "value", "ada").error().code(), Code::kInvalidArgument) << name;
}

TEST_F(VaultTest, AListSaysWhoAndWhenAndNothingOfTheValue) {
  ASSERT_TRUE(vault_->set("B", "value of b", "ada"));
  ASSERT_TRUE(vault_->set("A", "value of a", "ada"));
  clock_.ns += 1'000'000'000;
  ASSERT_TRUE(vault_->set("B", "another of b", "bob"));
  auto all = *vault_->list();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].row.name, "B");
  EXPECT_EQ(all[1].row.version, 2);
  EXPECT_EQ(all[1].row.set_by, "bob");
  EXPECT_EQ(all[1].row.set_at, clock_.now());
  EXPECT_EQ(all[1].row.used_at, std::nullopt);
  EXPECT_EQ(all[1].row.sealed, "");
  EXPECT_TRUE(all[1].readable);
  ASSERT_TRUE(vault_->use("B"));
  EXPECT_EQ(vault_->list()->at(1).row.used_at, clock_.now());
  EXPECT_EQ((*stores_.secrets->secret("default", "B"))->used_at, std::nullopt);
  writer_.run();
  EXPECT_EQ((*stores_.secrets->secret("default", "B"))->used_at, clock_.now());
  ASSERT_TRUE(vault_->set("B", "a third of b", "bob"));
  EXPECT_EQ(vault_->list()->at(1).row.used_at, std::nullopt) << "that version was not used";
  std::vector<std::string> said;
  for (const auto& row : *stores_.store->audit_rows("B", 10)) said.push_back(row.actor + " " + row.action);
  EXPECT_THAT(said, ElementsAre("bob secret.set", "bob secret.set", "ada secret.set"));
}

TEST_F(VaultTest, WhatIsDeletedIsNotThere) {
  ASSERT_TRUE(vault_->set("A", "value of a", "ada"));
  EXPECT_TRUE(vault_->erase("A", "bob").ok());
  EXPECT_EQ(vault_->use("A").error().code(), Code::kNotFound);
  EXPECT_EQ(vault_->erase("A", "bob").code(), Code::kNotFound);
  EXPECT_EQ(vault_->erase("a b", "bob").code(), Code::kNotFound);
}

TEST_F(VaultTest, EveryValueOfThisProcessIsLookedForInTexts) {
  const auto before = vault_->changes();
  ASSERT_TRUE(vault_->set("A", "the first value", "ada"));
  const auto between = vault_->changes();
  EXPECT_NE(between, before);
  ASSERT_TRUE(vault_->set("A", "the second value", "ada"));
  EXPECT_NE(vault_->changes(), between);
  EXPECT_THAT(vault_->values("A"), UnorderedElementsAre("the first value", "the second value"));
  ASSERT_TRUE(vault_->erase("A", "ada").ok());
  EXPECT_THAT(vault_->values("A"), UnorderedElementsAre("the first value", "the second value"));
  EXPECT_THAT(vault_->values("B"), ElementsAre());
}

TEST_F(VaultTest, ANamespaceHasItsOwn) {
  ASSERT_TRUE(vault_->set("A", "value of default", "ada"));
  open({}, "billing");
  EXPECT_EQ(vault_->use("A").error().code(), Code::kNotFound);
  EXPECT_TRUE(vault_->list()->empty());
  ASSERT_TRUE(vault_->set("A", "value of billing", "ada"));
  open();
  EXPECT_EQ(*vault_->use("A"), "value of default");
}

TEST_F(VaultTest, AnotherKeySaysWhatToDo) {
  ASSERT_TRUE(vault_->set("A", "value of a", "ada"));
  const KeyRing right = made_;
  open(KeyRing::fresh(random_));
  EXPECT_EQ(vault_->unreadable().at(right.current_id()), 1u);
  EXPECT_FALSE(vault_->list()->front().readable);
  const auto used = vault_->use("A");
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(used.error().message(), HasSubstr(right.current_id()));
  EXPECT_THAT(used.error().message(), HasSubstr("/etc/holdfast/secrets.key"));
  EXPECT_THAT(used.error().message(), HasSubstr("--secrets-key"));
  open(right);
  EXPECT_EQ(*vault_->use("A"), "value of a");
  open(KeyRing::fresh(random_));
  ASSERT_TRUE(vault_->set("A", "set again", "ada"));
  EXPECT_EQ(*vault_->use("A"), "set again");
}

TEST_F(VaultTest, AMissingFileIsNotReplacedWhereSecretsNeedIt) {
  ASSERT_TRUE(vault_->set("A", "value of a", "ada"));
  const std::string id = made_.current_id();
  made_ = {};
  open();
  const auto set = vault_->set("B", "value of b", "ada");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(set.error().message(), HasSubstr(id));
  EXPECT_TRUE(made_.empty());
}

TEST_F(VaultTest, ANewKeySealsAgainWhatTheOldOneOpens) {
  ASSERT_TRUE(vault_->set("A", "value of a", "ada"));
  const KeyRing old = made_;
  KeyRing next = KeyRing::fresh(random_);
  ASSERT_TRUE(next.add_older(old).ok());
  open(next);
  EXPECT_EQ(vault_->resealed(), 1u);
  EXPECT_EQ(*vault_->use("A"), "value of a");
  EXPECT_EQ(vault_->list()->front().row.version, 1);
  EXPECT_EQ(stores_.store->audit_rows("A", 1)->front().action, platform::kSecretResealed);
  auto alone = KeyRing::parse(next.text().substr(0, next.text().rfind("hfseal_")), "new");
  ASSERT_TRUE(alone);
  open(*alone);
  EXPECT_EQ(vault_->resealed(), 0u);
  EXPECT_EQ(*vault_->use("A"), "value of a");
}

TEST_F(VaultTest, ARowInAnothersPlaceDoesNotOpen) {
  ASSERT_TRUE(vault_->set("A", "value of a", "ada"));
  ASSERT_TRUE(vault_->set("B", "value of b", "ada"));
  auto row = **stores_.secrets->secret("default", "A");
  platform::AuditRow said;
  for (auto [namespace_name, name, version] :
       {std::tuple("default", "B", 1), std::tuple("default", "A", 2), std::tuple("other", "A", 1)}) {
    auto moved = row;
    moved.namespace_name = namespace_name;
    moved.name = name;
    moved.version = version;
    ASSERT_TRUE(stores_.secrets->put_secret(moved, said).ok());
    if (moved.namespace_name != "default") continue;
    EXPECT_EQ(vault_->use(name).error().code(), Code::kDataLoss) << name << version;
  }
}

TEST(KeyRing, IsReadAsItIsWrittenAndNothingElseIs) {
  fixture::CountingRandom random;
  KeyRing ring = KeyRing::fresh(random);
  ASSERT_TRUE(ring.add_older(KeyRing::fresh(random)).ok());
  ASSERT_TRUE(ring.add_older(ring).ok());
  const auto read = KeyRing::parse(ring.text(), "f");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->text(), ring.text());
  EXPECT_EQ(read->current_id(), ring.current_id());
  std::string line = ring.text().substr(ring.text().find("hfseal_"));
  line.resize(line.find('\n'));
  std::string damaged = line;
  damaged.back() = damaged.back() == 'A' ? 'E' : 'A';
  for (const std::string& wrong :
       {std::string(), std::string("# nothing\n"), std::string("a secret typed here"), damaged,
        line.substr(0, line.size() - 2), "x" + line}) {
    const auto refused = KeyRing::parse(wrong, "f");
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    if (wrong.size() > 12) EXPECT_THAT(refused.error().message(), Not(HasSubstr(wrong.substr(8))));
  }
}

}  // namespace
}  // namespace holdfast::secrets
