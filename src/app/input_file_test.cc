// A file that a command names is read whole or refused with a reason: whatever it turns out to be, nothing
// throws. Its folder has one name.

#include "app/input_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "fixture/temporary_directory.h"

namespace holdfast::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class InputFileTest : public testing::Test {
 protected:
  std::string path(const char* name) const { return (base_ / name).string(); }

  fixture::TemporaryDirectory directory_;
  const fs::path base_ = directory_.path();
};

TEST_F(InputFileTest, AFileIsReadWhole) {
  std::string text(200'000, 'x');
  text[7] = '\0';
  std::ofstream(path("input")) << text;
  EXPECT_EQ(read_file(path("input")), text);
}

TEST_F(InputFileTest, WhatIsNoFileIsRefused) {
  auto directory = read_file(base_.string());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(directory.error().message(), HasSubstr("directory"));
  EXPECT_EQ(read_file(path("nothing")).error().code(), Code::kNotFound);
  EXPECT_EQ(read_file("").error().code(), Code::kNotFound);
}

TEST_F(InputFileTest, TooMuchIsRefusedAndEndlessEnds) {
  std::ofstream(path("input")) << "12345";
  EXPECT_EQ(read_file(path("input"), 5), "12345");
  EXPECT_EQ(read_file(path("input"), 4).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(read_file("/dev/zero").error().code(), Code::kInvalidArgument);
}

TEST_F(InputFileTest, APipeIsReadToItsEnd) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path("pipe")) << "from a command"; });
  EXPECT_EQ(read_file(path("pipe")), "from a command");
  writer.join();
}

TEST_F(InputFileTest, AFolderHasOneName) {
  fs::create_directory(path("agents"));
  fs::create_symlink(path("agents"), path("link"));
  EXPECT_EQ(folder_of(path("agents/a.yaml")), path("agents"));
  EXPECT_EQ(folder_of(path("link/a.yaml")), path("agents"));
  EXPECT_EQ(folder_of(path("link/../agents/./a.yaml")), path("agents"));
  EXPECT_EQ(folder_of("a.yaml"), fs::current_path().string());
}

}  // namespace
}  // namespace holdfast::app
