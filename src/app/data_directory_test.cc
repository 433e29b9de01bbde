// A start that is refused says why and changes nothing: locked, from a newer version, a folder of something
// else.

#include "app/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fixture/temporary_directory.h"

namespace holdfast::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Kind = DataDirectoryState::Kind;

class DataDirectoryTest : public testing::Test {
 protected:
  void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }
  std::vector<std::string> entries() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename());
    return names;
  }

  fixture::TemporaryDirectory base_;
  const fs::path path_ = base_ / "data";
};

TEST_F(DataDirectoryTest, IsMadeOnceAndOpenedAgain) {
  EXPECT_EQ(inspect_data_directory(path_).kind, Kind::kAbsent);
  {
    ASSERT_TRUE(DataDirectory::open(path_));
  }
  EXPECT_EQ(inspect_data_directory(path_).kind, Kind::kUsable);
  auto again = DataDirectory::open(path_);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(inspect_data_directory(path_).kind, Kind::kInUse);
}

TEST_F(DataDirectoryTest, OneProcessAtATime) {
  auto first = DataDirectory::open(path_);
  ASSERT_TRUE(first);
  auto second = DataDirectory::open(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(::getpid())));
}

TEST_F(DataDirectoryTest, ANewerFormatIsRefusedUntouched) {
  fs::create_directory(path_);
  write(path_ / "VERSION", "holdfast data directory, format 99\n");
  auto data = DataDirectory::open(path_);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(data.error().message(), HasSubstr("newer Holdfast"));
  EXPECT_THAT(entries(), testing::ElementsAre("VERSION"));
  EXPECT_EQ(inspect_data_directory(path_).kind, Kind::kNewer);
}

TEST_F(DataDirectoryTest, AFolderOfSomethingElseIsRefusedUntouched) {
  fs::create_directory(path_);
  write(path_ / "thesis.doc", "years of work");
  auto data = DataDirectory::open(path_);
  ASSERT_FALSE(data);
  EXPECT_THAT(data.error().message(), HasSubstr("not a Holdfast data directory"));
  EXPECT_THAT(entries(), testing::ElementsAre("thesis.doc"));
}

TEST_F(DataDirectoryTest, ADamagedVersionIsRefused) {
  fs::create_directory(path_);
  write(path_ / "VERSION", "???");
  EXPECT_EQ(DataDirectory::open(path_).error().code(), Code::kDataLoss);
}

TEST_F(DataDirectoryTest, AFileIsNoDirectory) {
  write(path_, "x");
  EXPECT_EQ(DataDirectory::open(path_).error().code(), Code::kInvalidArgument);
}

TEST_F(DataDirectoryTest, AFullDiskIsRefusedBeforeTheDirectoryIsMade) {
  // A file system of size 0 that every Linux has.
  auto data = DataDirectory::open("/proc/holdfast/data");
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(data.error().message(), HasSubstr("is full"));
}

TEST_F(DataDirectoryTest, AStartCutOffBeforeItsVersionGoesOn) {
  fs::create_directory(path_);
  write(path_ / "lock", "123\n");
  write(path_ / "VERSION.new", "hold");
  EXPECT_TRUE(DataDirectory::open(path_));
}

}  // namespace
}  // namespace holdfast::app
