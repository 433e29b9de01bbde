// Signing in: the right password, wrong ones, and how long whoever guesses has to wait. Time moves when a
// test says so.

#include "identity/sign_in.h"

#include <gtest/gtest.h>

#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::identity {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPassword = "correct horse battery";

class SignInTest : public ::testing::Test {
 protected:
  SignInTest() {
    platform::SqliteOptions options;
    options.directory = folder_.path();
    stores_ = *platform::open_sqlite(options, clock_, random_, flusher_);
    directory_ = *Directory::open(*stores_.identities, clock_, random_, flusher_);
    sign_in_ = std::make_unique<SignIn>(*directory_, clock_, random_);
    add("ada");
  }
  void add(const std::string& name) {
    platform::Principal fresh;
    fresh.name = name;
    fresh.password = *sign_in_->hash(kPassword);
    EXPECT_TRUE(directory_->add(fresh, Roles::all(), "test"));
  }
  SignedIn attempt(const std::string& name, const std::string& password,
                   const std::string& from = "10.0.0.1") {
    return sign_in_->sign_in(name, password, from, "browser");
  }

  fixture::TemporaryDirectory folder_;
  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
  platform::OpenStores stores_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<SignIn> sign_in_;
};

TEST_F(SignInTest, ThePasswordBeginsASession) {
  const SignedIn in = attempt("ada", kPassword);
  ASSERT_TRUE(in.status.ok()) << in.status.to_string();
  EXPECT_EQ(directory_->by_session(in.made->text)->name, "ada");
  EXPECT_EQ(stores_.store->audit_rows("ada", 1)->front().action, platform::kSignedIn);
}

TEST_F(SignInTest, WhatIsWrongIsToldAlikeAndGoesIntoTheRecord) {
  const SignedIn wrong = attempt("ada", "incorrect horse");
  const SignedIn unknown = attempt("eve", kPassword);
  const SignedIn empty = attempt("", "");
  EXPECT_EQ(wrong.status.code(), Code::kUnauthenticated);
  EXPECT_EQ(wrong.status.message(), unknown.status.message());
  EXPECT_EQ(wrong.status.message(), empty.status.message());
  const auto said = stores_.store->audit_rows("ada", 1);
  EXPECT_EQ(said->front().action, platform::kSignInRefused);
  std::string all;
  for (const auto& row : *stores_.store->audit_rows("", 100)) all += row.subject + row.detail;
  EXPECT_EQ(all.find("horse"), std::string::npos);
  EXPECT_EQ(all.find("eve"), std::string::npos) << "what was typed may be a password";
  ASSERT_TRUE(directory_->add(
      [] {
        platform::Principal robot;
        robot.name = "robot";
        robot.kind = platform::PrincipalKind::kService;
        return robot;
      }(),
      Roles(), "test"));
  EXPECT_EQ(attempt("robot", "").status.code(), Code::kUnauthenticated) << "without a password none opens it";
}

TEST_F(SignInTest, WhoeverGuessesWaitsTwiceAsLongEachTime) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt("ada", "guess").retry_after, milliseconds(0));
  EXPECT_EQ(attempt("ada", "guess").status.code(), Code::kUnauthenticated);
  const SignedIn now = attempt("ada", kPassword);
  EXPECT_EQ(now.status.code(), Code::kResourceExhausted) << "the right one, too: it is not even looked at";
  EXPECT_EQ(now.retry_after, seconds(1));
  clock_.ns += 1'000'000'000;
  EXPECT_EQ(attempt("ada", "guess").status.code(), Code::kUnauthenticated);
  EXPECT_EQ(attempt("ada", "guess").retry_after, seconds(2));
  clock_.ns += 2'000'000'000;
  EXPECT_TRUE(attempt("ada", kPassword).status.ok());
  EXPECT_EQ(attempt("ada", "guess").retry_after, milliseconds(0)) << "a success makes good";
}

TEST_F(SignInTest, AnAddressThatTriesManyNamesWaits) {
  for (int i = 0; i < 11; ++i) {
    EXPECT_EQ(attempt("name" + std::to_string(i), "guess").status.code(), Code::kUnauthenticated) << i;
  }
  EXPECT_EQ(attempt("ada", kPassword).status.code(), Code::kResourceExhausted);
  EXPECT_TRUE(attempt("ada", kPassword, "10.0.0.2").status.ok()) << "who comes from elsewhere does not";
}

TEST_F(SignInTest, NobodyIsLockedOutForLongByOthersGuesses) {
  for (int i = 0; i < 40; ++i) {
    (void)attempt("ada", "guess", "10.0.1." + std::to_string(i));
    clock_.ns += 31'000'000'000;
  }
  EXPECT_TRUE(attempt("ada", kPassword).status.ok());
}

TEST_F(SignInTest, AThrottleForgetsAndIsBounded) {
  Throttle throttle({.free_failures = 0, .first_pause = seconds(1), .longest_pause = seconds(4), .most = 3});
  const MonotonicTime start{};
  throttle.failed("a", start);
  EXPECT_EQ(throttle.pause("a", start), seconds(1));
  for (int i = 0; i < 10; ++i) throttle.failed("a", start);
  EXPECT_EQ(throttle.pause("a", start), seconds(4)) << "no longer than that";
  for (const char* other : {"b", "c", "d", "e"}) throttle.failed(other, start);
  EXPECT_GT(throttle.pause("a", start), seconds(1)) << "who waits longest is not the one who is forgotten";
  throttle.failed("a", start + seconds(9));
  EXPECT_EQ(throttle.pause("a", start + seconds(9)), seconds(1)) << "who kept still begins anew";
}

TEST_F(SignInTest, TheFirstAdminIsMadeOnceWithTheToken) {
  auto change = directory_->change("ada", {.roles = {}, .disabled = {}, .password_hash = ""}, "test");
  EXPECT_FALSE(change) << "the last admin";
  fixture::TemporaryDirectory folder;
  platform::SqliteOptions options;
  options.directory = folder.path();
  auto stores = *platform::open_sqlite(options, clock_, random_, flusher_);
  auto directory = *Directory::open(*stores.identities, clock_, random_, flusher_);
  SignIn sign_in(*directory, clock_, random_);
  const auto set_up = [&](const std::string& token, const char* password = kPassword) {
    return sign_in.set_up(token, "root", password, "10.0.0.9", "browser");
  };
  EXPECT_EQ(set_up("").status.code(), Code::kUnauthenticated) << "before there is a token";
  const std::string token = sign_in.begin_set_up();
  EXPECT_EQ(set_up(secret_text(kSetupPrefix, new_secret(random_))).status.code(), Code::kUnauthenticated);
  EXPECT_EQ(set_up(token, "short").status.code(), Code::kInvalidArgument);
  const SignedIn in = set_up(token);
  ASSERT_TRUE(in.status.ok()) << in.status.to_string();
  EXPECT_TRUE(directory->check(*directory->by_session(in.made->text), "*", Permission::kAdmin).ok());
  EXPECT_EQ(set_up(token).status.code(), Code::kUnauthenticated) << "once";
}

}  // namespace
}  // namespace holdfast::identity
