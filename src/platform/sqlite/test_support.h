#pragma once

// What the tests of this module share: a store opened in a directory of its own.

#include <gtest/gtest.h>

#include <memory>

#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {

using fixture::TemporaryDirectory;

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
