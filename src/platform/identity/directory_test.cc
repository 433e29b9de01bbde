// The directory and the gate on a real store: who gets in, who does no more, and what is left of a secret.
// Time moves when a test says so.

#include "identity/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "identity/gate.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::identity {
namespace {

using platform::CredentialKind;
using platform::Principal;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest() { open(); }

  void open() {
    directory_.reset();
    stores_ = {};
    platform::SqliteOptions options;
    options.directory = folder_.path();
    auto stores = platform::open_sqlite(options, clock_, random_, flusher_);
    ASSERT_TRUE(stores) << stores.error().to_string();
    stores_ = *std::move(stores);
    auto directory = Directory::open(*stores_.identities, clock_, random_, writer_);
    ASSERT_TRUE(directory) << directory.error().to_string();
    directory_ = *std::move(directory);
  }

  void add(const std::string& name, const Roles& roles, const std::string& password = "") {
    Principal fresh;
    fresh.name = name;
    fresh.kind = password.empty() ? platform::PrincipalKind::kService : platform::PrincipalKind::kPerson;
    fresh.password = password;
    const auto added = directory_->add(fresh, roles, "test");
    ASSERT_TRUE(added) << added.error().to_string();
  }
  static Roles roles(const std::string& namespace_name, Role role) {
    Roles out;
    out.add(namespace_name, role);
    return out;
  }
  MadeCredential key(const std::string& principal, std::optional<WallTime> expires = std::nullopt) {
    auto made = directory_->create_key({.principal = principal, .label = "l", .expires_at = expires}, "test");
    EXPECT_TRUE(made) << made.error().to_string();
    return *std::move(made);
  }
  void pass(std::chrono::nanoseconds time) { clock_.ns += time.count(); }
  Code code_of(const std::string& text) {
    const auto caller = directory_->by_key(text);
    return caller ? Code::kOk : caller.error().code();
  }
  Status check(const std::string& text, std::string_view where, Permission what) {
    const auto caller = directory_->by_key(text);
    return caller ? directory_->check(*caller, where, what) : caller.error();
  }

  fixture::TemporaryDirectory folder_;
  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
  os::ThreadExecutor writer_{"writer"};
  platform::OpenStores stores_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(DirectoryTest, AKeyOpensWhatItsPrincipalMayAlsoAfterARestart) {
  add("robot", roles("ours", Role::kOperator));
  const std::string text = key("robot").text;
  for (int i = 0; i < 2; ++i) {
    const auto caller = directory_->by_key(text);
    ASSERT_TRUE(caller) << caller.error().to_string();
    EXPECT_EQ(caller->name, "robot");
    EXPECT_TRUE(directory_->check(*caller, "ours", Permission::kRun).ok());
    EXPECT_EQ(directory_->check(*caller, "ours", Permission::kDecide).code(), Code::kPermissionDenied);
    EXPECT_EQ(directory_->check(*caller, "theirs", Permission::kRead).code(), Code::kPermissionDenied);
    EXPECT_EQ(directory_->check(*caller, "*", Permission::kRead).code(), Code::kPermissionDenied);
    open();
  }
}

TEST_F(DirectoryTest, WhatIsNoKeyOpensNothingAndIsToldAlike) {
  add("robot", roles("ours", Role::kReader));
  const MadeCredential made = key("robot");
  const Secret read = *parse_secret(kKeyPrefix, made.text);
  Secret guessed = read;
  guessed.secret.back() = guessed.secret.back() == '0' ? '1' : '0';
  const Secret unknown = new_secret(random_);
  const std::string session = directory_->begin_session("robot", "browser")->text;
  std::vector<std::string> said;
  for (const std::string& text : {secret_text(kKeyPrefix, guessed), secret_text(kKeyPrefix, unknown), session,
                                  std::string("x"), std::string()}) {
    const auto caller = directory_->by_key(text);
    ASSERT_FALSE(caller) << text;
    EXPECT_EQ(caller.error().code(), Code::kUnauthenticated);
    said.push_back(caller.error().message());
  }
  EXPECT_THAT(said, ::testing::Each(said.front()));
  EXPECT_FALSE(directory_->by_session(made.text)) << "a key is no session";
}

TEST_F(DirectoryTest, ARevokedOrExpiredKeyOpensNothingFromThatMomentOn) {
  add("robot", roles("ours", Role::kReader));
  const MadeCredential one = key("robot");
  const auto caller = directory_->by_key(one.text);
  ASSERT_TRUE(directory_->revoke(one.row.id, "ada").ok());
  EXPECT_EQ(code_of(one.text), Code::kUnauthenticated);
  EXPECT_EQ(directory_->check(*caller, "ours", Permission::kRead).code(), Code::kUnauthenticated)
      << "who was let in before stays out, too";
  EXPECT_TRUE(directory_->revoke(one.row.id, "ada").ok()) << "twice is no error";
  EXPECT_EQ(directory_->revoke("0123456789abcdef", "ada").code(), Code::kNotFound);

  const MadeCredential two = key("robot", clock_.now() + hours(1));
  EXPECT_EQ(code_of(two.text), Code::kOk);
  pass(hours(1) - seconds(1));
  EXPECT_EQ(code_of(two.text), Code::kOk);
  pass(seconds(1));
  EXPECT_EQ(code_of(two.text), Code::kUnauthenticated);
  open();
  EXPECT_EQ(code_of(one.text), Code::kUnauthenticated);
  EXPECT_EQ(code_of(two.text), Code::kUnauthenticated);
  EXPECT_FALSE(
      directory_->create_key({.principal = "robot", .label = "", .expires_at = clock_.now()}, "ada"));
}

TEST_F(DirectoryTest, ARotatedKeyHoldsForItsGraceAlone) {
  add("robot", roles("ours", Role::kReader));
  const MadeCredential old = key("robot", clock_.now() + hours(10));
  const auto fresh = directory_->rotate_key(old.row.id, minutes(5), "ada");
  ASSERT_TRUE(fresh) << fresh.error().to_string();
  EXPECT_NE(fresh->row.id, old.row.id);
  EXPECT_EQ(code_of(old.text), Code::kOk);
  EXPECT_EQ(code_of(fresh->text), Code::kOk);
  pass(minutes(5));
  EXPECT_EQ(code_of(old.text), Code::kUnauthenticated);
  EXPECT_EQ(code_of(fresh->text), Code::kOk);
  EXPECT_EQ(directory_->rotate_key(old.row.id, seconds(0), "ada").error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(*fresh->row.expires_at, fresh->row.created_at + hours(10)) << "as long as the one before";
}

TEST_F(DirectoryTest, ARoleThatIsTakenIsGoneInMidSession) {
  add("ada", roles("ours", Role::kApprover), "hash");
  const auto session = directory_->begin_session("ada", "browser");
  const auto caller = directory_->by_session(session->text);
  ASSERT_TRUE(directory_->check(*caller, "ours", Permission::kDecide).ok());
  ASSERT_TRUE(directory_->change(
      "ada", {.roles = roles("ours", Role::kReader), .disabled = {}, .password_hash = {}}, "bob"));
  EXPECT_EQ(directory_->check(*caller, "ours", Permission::kDecide).code(), Code::kPermissionDenied);
  EXPECT_TRUE(directory_->check(*caller, "ours", Permission::kRead).ok());
  ASSERT_TRUE(directory_->change("ada", {.roles = {}, .disabled = true, .password_hash = {}}, "bob"));
  EXPECT_EQ(directory_->check(*caller, "ours", Permission::kRead).code(), Code::kUnauthenticated);
  EXPECT_FALSE(directory_->by_session(session->text));
  ASSERT_TRUE(directory_->change("ada", {.roles = {}, .disabled = false, .password_hash = {}}, "bob"));
  EXPECT_FALSE(directory_->by_session(session->text)) << "whoever was signed out stays so";
}

TEST_F(DirectoryTest, ASessionEndsWithItsTimeItsIdlenessAndAnotherPassword) {
  add("ada", roles("ours", Role::kReader), "hash");
  const auto one = directory_->begin_session("ada", "a");
  pass(kSessionIdle - minutes(1));
  EXPECT_TRUE(directory_->by_session(one->text)) << "used: it goes on";
  pass(kSessionIdle - minutes(1));
  EXPECT_TRUE(directory_->by_session(one->text));
  pass(kSessionIdle);
  EXPECT_FALSE(directory_->by_session(one->text));

  const auto two = directory_->begin_session("ada", "b");
  for (hours passed(0); passed < kSessionLength; passed += hours(6)) {
    EXPECT_TRUE(directory_->by_session(two->text)) << passed.count();
    pass(hours(6));
  }
  EXPECT_FALSE(directory_->by_session(two->text)) << "however much it is used";

  const auto three = directory_->begin_session("ada", "c");
  ASSERT_TRUE(directory_->change("ada", {.roles = {}, .disabled = {}, .password_hash = "other"}, "ada"));
  EXPECT_FALSE(directory_->by_session(three->text));
}

TEST_F(DirectoryTest, SessionsOfOnePersonAreBounded) {
  add("ada", roles("ours", Role::kReader), "hash");
  const auto first = directory_->begin_session("ada", "0");
  for (std::size_t i = 0; i < kMaxSessionsEach; ++i) {
    pass(seconds(1));
    ASSERT_TRUE(directory_->begin_session("ada", "n"));
  }
  EXPECT_FALSE(directory_->by_session(first->text));
}

TEST_F(DirectoryTest, NobodyCanLockEverybodyOut) {
  EXPECT_FALSE(directory_->is_set_up());
  add("ada", Roles::all(), "hash");
  EXPECT_TRUE(directory_->is_set_up());
  const PrincipalChange disable{.roles = {}, .disabled = true, .password_hash = {}};
  const PrincipalChange demote{.roles = roles("ours", Role::kReader), .disabled = {}, .password_hash = {}};
  EXPECT_EQ(directory_->change("ada", disable, "ada").error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(directory_->change("ada", demote, "ada").error().code(), Code::kFailedPrecondition);
  add("root", Roles::all());
  EXPECT_EQ(directory_->change("ada", disable, "ada").error().code(), Code::kFailedPrecondition)
      << "a service without a key gets nowhere";
  const MadeCredential made = key("root");
  ASSERT_TRUE(directory_->change("ada", disable, "root"));
  EXPECT_EQ(directory_->revoke(made.row.id, "root").code(), Code::kFailedPrecondition);
}

TEST_F(DirectoryTest, AServerThatWasSetUpStaysClosedWhenItsLastKeyExpires) {
  add("root", Roles::all());
  EXPECT_FALSE(directory_->is_set_up()) << "nobody can get in yet";
  const MadeCredential made = key("root", clock_.now() + hours(1));
  const Gate gate(*directory_, GateMode::kAuto, "");
  EXPECT_FALSE(gate.is_open());
  pass(hours(2));
  EXPECT_FALSE(directory_->has_admin());
  EXPECT_FALSE(gate.is_open());
  open();
  EXPECT_TRUE(directory_->is_set_up());
}

TEST_F(DirectoryTest, ASecretIsNowhereButInTheAnswer) {
  add("robot", roles("ours", Role::kReader));
  const MadeCredential made = key("robot");
  const MadeCredential session = *directory_->begin_session("robot", "browser");
  const std::string secrets[] = {parse_secret(kKeyPrefix, made.text)->secret,
                                 parse_secret(kSessionPrefix, session.text)->secret};
  ASSERT_TRUE(directory_->revoke(made.row.id, "ada").ok());
  const std::string said = directory_->by_key(made.text).error().message();
  std::string kept;
  for (const auto& row : *stores_.store->audit_rows("", 100)) kept += row.actor + row.subject + row.detail;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    kept.append(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_NE(kept.find(made.row.id), std::string::npos) << "it looks where rows are";
  for (const std::string& secret : secrets) {
    EXPECT_EQ(kept.find(secret), std::string::npos);
    EXPECT_EQ(said.find(secret), std::string::npos);
  }
}

TEST_F(DirectoryTest, ChangesAreInTheRecordWithWhoMadeThem) {
  add("robot", roles("ours", Role::kReader));
  const MadeCredential made = key("robot");
  ASSERT_TRUE(directory_->rotate_key(made.row.id, seconds(0), "ada"));
  ASSERT_TRUE(directory_->change("robot", {.roles = Roles(), .disabled = {}, .password_hash = {}}, "ada"));
  std::vector<std::string> actions;
  for (const auto& row : *stores_.store->audit_rows("", 100)) actions.push_back(row.actor + " " + row.action);
  EXPECT_THAT(actions, ::testing::ElementsAre("ada identity.principal_changed",
                                              "ada identity.credential_revoked", "ada identity.key_rotated",
                                              "test identity.key_created", "test identity.principal_added"));
}

TEST_F(DirectoryTest, UseIsNotedToTheMinute) {
  add("robot", roles("ours", Role::kReader));
  const MadeCredential made = key("robot");
  const WallTime first = clock_.now();
  ASSERT_TRUE(directory_->by_key(made.text));
  pass(seconds(30));
  ASSERT_TRUE(directory_->by_key(made.text));
  EXPECT_EQ(directory_->credentials(CredentialKind::kKey).front().used_at, first);
  pass(minutes(1));
  ASSERT_TRUE(directory_->by_key(made.text));
  EXPECT_EQ(directory_->credentials(CredentialKind::kKey).front().used_at, clock_.now());
}

TEST_F(DirectoryTest, AnOpenGateIsOpenUntilSomebodyIsAdmin) {
  const Gate gate(*directory_, GateMode::kAuto, "hflocal_x");
  const auto local = gate.admit({});
  ASSERT_TRUE(local);
  EXPECT_EQ(local->kind, Caller::Kind::kLocal);
  EXPECT_TRUE(gate.check(*local, "ours", Permission::kAdmin).ok());
  EXPECT_FALSE(gate.admit({.authorization = "Bearer hfk_wrong", .session = {}, .certificate = {}}))
      << "who shows something wrong is told so";
  add("ada", Roles::all(), "hash");
  EXPECT_EQ(gate.check(*local, "ours", Permission::kRead).code(), Code::kUnauthenticated)
      << "whoever came in before, too";
  EXPECT_EQ(gate.admit({})->kind, Caller::Kind::kNobody);
  EXPECT_EQ(gate.check(*gate.admit({}), "ours", Permission::kKnown).code(), Code::kUnauthenticated);
  EXPECT_TRUE(gate.check(*gate.admit({}), "ours", Permission::kAnyone).ok());
  const auto owner = gate.admit({.authorization = "bearer hflocal_x", .session = {}, .certificate = {}});
  ASSERT_TRUE(owner);
  EXPECT_TRUE(gate.check(*owner, "ours", Permission::kAdmin).ok()) << "the server's own user";
  EXPECT_FALSE(gate.admit({.authorization = "Basic eDp5", .session = {}, .certificate = {}}));
  EXPECT_TRUE(Gate(*directory_, GateMode::kOff, "").is_open());
  EXPECT_FALSE(Gate(*directory_, GateMode::kRequired, "").is_open());
}

TEST_F(DirectoryTest, ACertificateIsAServiceOfThatName) {
  add("ada", Roles::all(), "hash");
  add("worker", roles("ours", Role::kDeployer));
  const Gate gate(*directory_, GateMode::kRequired, "");
  const auto by = [&](const char* name) {
    return gate.admit({.authorization = {}, .session = {}, .certificate = name});
  };
  ASSERT_TRUE(by("worker"));
  EXPECT_TRUE(gate.check(*by("worker"), "ours", Permission::kWork).ok());
  EXPECT_EQ(gate.check(*by("worker"), "theirs", Permission::kWork).code(), Code::kPermissionDenied);
  EXPECT_FALSE(by("ada")) << "people sign in";
  EXPECT_FALSE(by("nobody"));
}

TEST_F(DirectoryTest, AUserOfThisMachineIsWhoHeIsSaidToBe) {
  add("ada", Roles::all(), "hash");
  add("bob", roles("ours", Role::kReader), "hash");
  const Gate gate(*directory_, GateMode::kRequired, "hflocal_x",
                  {.own = 1000, .principals = {{1001, "bob"}, {1002, "nobody-yet"}}});
  const auto by = [&](const Gate& at, std::uint32_t user, const char* authorization = "") {
    return at.admit({.authorization = authorization, .session = {}, .certificate = {}, .user = user});
  };
  for (const std::uint32_t user : {0U, 1000U}) {
    ASSERT_TRUE(by(gate, user)) << user;
    EXPECT_EQ(by(gate, user)->kind, Caller::Kind::kLocal);
    EXPECT_TRUE(gate.check(*by(gate, user), "ours", Permission::kAdmin).ok()) << "though it is closed";
  }
  const auto bob = by(gate, 1001);
  ASSERT_TRUE(bob);
  EXPECT_EQ(std::pair(bob->kind, bob->name), std::pair(Caller::Kind::kUser, std::string("bob")));
  EXPECT_TRUE(gate.check(*bob, "ours", Permission::kRead).ok());
  EXPECT_EQ(gate.check(*bob, "ours", Permission::kRun).code(), Code::kPermissionDenied);
  EXPECT_EQ(by(gate, 1002).error().code(), Code::kUnauthenticated);
  EXPECT_EQ(by(gate, 1003).error().code(), Code::kUnauthenticated);
  EXPECT_FALSE(by(Gate(*directory_, GateMode::kOff, "", {.own = 1000, .principals = {}}), 1003))
      << "a socket is not loopback";
  EXPECT_EQ(by(gate, 1001, "Bearer hflocal_x")->kind, Caller::Kind::kLocal) << "what is shown goes first";
  EXPECT_FALSE(by(gate, 1001, "Bearer hfk_wrong"));
  ASSERT_TRUE(directory_->change("bob", {.roles = {}, .disabled = true, .password_hash = {}}, "test"));
  EXPECT_FALSE(by(gate, 1001));
  EXPECT_FALSE(gate.check(*bob, "ours", Permission::kRead).ok());
}

TEST_F(DirectoryTest, NamesAreWhatListsAndLogsCanShow) {
  for (const char* wrong : {"", "a b", "a/b", "a\nb", "<script>", "\xc3\xa4"}) {
    Principal fresh;
    fresh.name = wrong;
    EXPECT_EQ(directory_->add(fresh, Roles(), "test").error().code(), Code::kInvalidArgument) << wrong;
  }
  add("ada@example.org", Roles());
  Principal again;
  again.name = "ada@example.org";
  EXPECT_EQ(directory_->add(again, Roles(), "test").error().code(), Code::kAlreadyExists);
}

}  // namespace
}  // namespace holdfast::identity
