#pragma once

// What the tests of this module share: a directory that goes away, and a store opened in it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-platform-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() { open(); }
  ~StoreTest() override { close(); }

  void open() {
    SqliteOptions options;
    options.directory = directory_.path();
    flusher_ = std::make_unique<os::ThreadExecutor>("flusher");
    Result<OpenStores> opened = open_sqlite(options, clock_, random_, *flusher_);
    ASSERT_TRUE(opened) << opened.error().to_string();
    store_ = std::move(opened->store);
    streams_ = std::move(opened->streams);
  }
  void close() {
    streams_.reset();
    store_.reset();
    flusher_.reset();
  }

  TemporaryDirectory directory_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  std::unique_ptr<os::ThreadExecutor> flusher_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Streams> streams_;
};

}  // namespace holdfast::platform
