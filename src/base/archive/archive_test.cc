// An archive is whole or is none: a folder without its manifest, a missing file, a bit that changed anywhere
// are refused with the name of the file; a writer that stops leaves nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "archive/manifest.h"
#include "archive/writer.h"
#include "fixture/temporary_directory.h"

namespace holdfast::archive {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ArchiveTest : public testing::Test {
 protected:
  void put(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

  Manifest make() {
    put(base_ / "a", "first");
    put(base_ / "b", std::string(3 << 20, 'x'));
    auto writer = Writer::create(folder_);
    EXPECT_TRUE(writer) << writer.error().message();
    EXPECT_TRUE(writer->make_folder("engine").ok());
    EXPECT_TRUE(writer->add(base_ / "a", "engine/a.log", {}).ok());
    EXPECT_TRUE(writer->add(base_ / "b", "engine/b.sst", {}).ok());
    auto made = writer->finish({.made_by = "test", .taken_at = "now", .data_format = 1, .engine = true});
    EXPECT_TRUE(made) << made.error().message();
    return *made;
  }
  // What a restore says.
  Status take_out() {
    auto manifest = read_manifest(folder_);
    if (!manifest) return manifest.error();
    fs::remove_all(base_ / "out");
    fs::create_directory(base_ / "out");
    for (const File& file : manifest->files) {
      if (Status status = extract(folder_, file, base_ / "out" / fs::path(file.path).filename(), {});
          !status.ok())
        return status;
    }
    return {};
  }

  fixture::TemporaryDirectory base_;
  const fs::path folder_ = base_ / "backup";
};

TEST_F(ArchiveTest, GivesBackWhatWentIn) {
  const Manifest made = make();
  auto read = read_manifest(folder_);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, made);
  ASSERT_TRUE(take_out().ok());
  EXPECT_EQ(bytes_of(base_ / "out" / "a.log"), "first");
  EXPECT_EQ(fs::file_size(base_ / "out" / "b.sst"), 3U << 20);
}

TEST_F(ArchiveTest, IsItsUsersAlone) {
  const mode_t old = ::umask(0);
  make();
  ::umask(old);
  struct stat found{};
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 077, 0U) << entry.path();
  }
  ASSERT_EQ(::stat(folder_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 077, 0U);
}

TEST_F(ArchiveTest, AnyBitThatChangedIsTold) {
  make();
  for (const char* name : {"engine/a.log", "engine/b.sst", "MANIFEST"}) {
    const fs::path path = folder_ / name;
    const std::string good = bytes_of(path);
    for (std::size_t at : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
      std::string bad = good;
      bad[at] ^= 4;
      put(path, bad);
      const Status status = take_out();
      EXPECT_EQ(status.code(), Code::kDataLoss) << name << " " << at << " " << status.message();
      EXPECT_THAT(status.message(), HasSubstr(path.string()));
    }
    put(path, good.substr(0, good.size() - 1));
    EXPECT_EQ(take_out().code(), Code::kDataLoss) << name;
    put(path, good + "x");
    EXPECT_EQ(take_out().code(), Code::kDataLoss) << name;
    put(path, good);
  }
  EXPECT_TRUE(take_out().ok());
  fs::remove(folder_ / "engine" / "a.log");
  EXPECT_THAT(take_out().message(), HasSubstr("a.log is damaged (it is missing)"));
}

TEST_F(ArchiveTest, WithoutItsManifestItIsNone) {
  make();
  fs::remove(folder_ / kManifestName);
  EXPECT_EQ(take_out().code(), Code::kFailedPrecondition);
  EXPECT_EQ(read_manifest(base_ / "nowhere").error().code(), Code::kFailedPrecondition);
}

TEST_F(ArchiveTest, AWriterThatStopsLeavesNothing) {
  put(base_ / "a", "first");
  {
    auto writer = Writer::create(folder_);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->make_folder("engine").ok());
    ASSERT_TRUE(writer->add(base_ / "a", "engine/a", {}).ok());
    EXPECT_EQ(writer->add(base_ / "a", "engine/b", [] { return true; }).code(), Code::kCancelled);
  }
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(ArchiveTest, AFolderWithSomethingInItIsLeftAlone) {
  fs::create_directory(folder_);
  put(folder_ / "thesis.doc", "years of work");
  EXPECT_EQ(Writer::create(folder_).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(bytes_of(folder_ / "thesis.doc"), "years of work");
}

TEST_F(ArchiveTest, PathsLeadNowhereElse) {
  for (const char* path :
       {"../x", "/etc/x", "engine/../x", "engine/a/b", ".hidden", "engine/", "", "MANIFEST", "engine/.."}) {
    Manifest manifest{
        .made_by = "m", .taken_at = "t", .data_format = 1, .engine = true, .files = {{path, 1, "h"}}};
    EXPECT_EQ(parse_manifest(manifest_text(manifest), "M").error().code(), Code::kDataLoss) << path;
  }
}

TEST_F(ArchiveTest, ANewerFormatIsNamed) {
  std::string text =
      manifest_text({.made_by = "m", .taken_at = "t", .data_format = 1, .engine = true, .files = {}});
  text.replace(text.find("format 1"), 8, "format 2");
  EXPECT_EQ(parse_manifest(text, "M").error().code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace holdfast::archive
