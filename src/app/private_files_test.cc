// Whatever modes a data directory was left with, opening it takes others' rights away; what belongs to
// another user refuses the start.

#include "app/private_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "app/data_directory.h"
#include "fixture/temporary_directory.h"

namespace holdfast::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

mode_t mode_of(const fs::path& path) {
  struct stat found{};
  EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

class PrivateFilesTest : public testing::Test {
 protected:
  PrivateFilesTest() { old_ = ::umask(0); }
  ~PrivateFilesTest() override { ::umask(old_); }

  fixture::TemporaryDirectory base_;
  const fs::path path_ = base_ / "data";
  mode_t old_ = 0;
};

TEST_F(PrivateFilesTest, AnOpenDirectoryIsTightened) {
  {
    ASSERT_TRUE(DataDirectory::open(path_));
  }
  fs::create_directories(path_ / "engine");
  std::ofstream(path_ / "engine" / "000001.sst") << "x";
  std::ofstream(path_ / "stray") << "x";
  ::chmod(path_.c_str(), 0755);
  ASSERT_EQ(mode_of(path_ / "engine"), 0777U);
  auto again = DataDirectory::open(path_);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(mode_of(path_), 0700U);
  EXPECT_EQ(mode_of(path_ / "engine"), 0700U);
  for (const char* name : {"VERSION", "lock", "stray", "engine/000001.sst"})
    EXPECT_EQ(mode_of(path_ / name), 0600U) << name;
}

TEST_F(PrivateFilesTest, WhatIsMadeIsPrivateUnderAnyUmask) {
  auto data = DataDirectory::open(path_);
  ASSERT_TRUE(data);
  data->write_addresses("{}");
  EXPECT_EQ(mode_of(path_), 0700U);
  for (const char* name : {"VERSION", "lock", "addresses.json"})
    EXPECT_EQ(mode_of(path_ / name), 0600U) << name;
}

TEST_F(PrivateFilesTest, WhatALinkPointsToIsLeftAlone) {
  {
    ASSERT_TRUE(DataDirectory::open(path_));
  }
  std::ofstream(base_ / "elsewhere") << "x";
  fs::create_symlink(base_ / "elsewhere", path_ / "link");
  ASSERT_TRUE(DataDirectory::open(path_));
  EXPECT_EQ(mode_of(base_ / "elsewhere"), 0666U);
}

TEST_F(PrivateFilesTest, AnotherUsersFilesRefuseTheStart) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  {
    ASSERT_TRUE(DataDirectory::open(path_));
  }
  std::ofstream(path_ / "planted") << "x";
  ASSERT_EQ(::chown((path_ / "planted").c_str(), 65534, 65534), 0);
  auto data = DataDirectory::open(path_);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(data.error().message(), HasSubstr("planted belongs to another user"));
  EXPECT_EQ(mode_of(path_ / "planted"), 0666U);
}

}  // namespace
}  // namespace holdfast::app
