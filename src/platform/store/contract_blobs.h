#pragma once

// The contract of blobs (platform/contract.h): a large output is stored once, read in parts, and goes with
// the last run that refers to it.

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "base/sha256.h"
#include "platform/contract.h"

namespace holdfast::platform {

inline BlobWrite large_output(std::string_view run, std::string_view bytes,
                              std::string_view conversation = "c") {
  BlobWrite out;
  out.run = run;
  out.conversation = conversation;
  out.media_type = "text/plain";
  out.bytes = bytes;
  return out;
}

// More than one transaction of pieces, and no two of them alike.
inline std::string numbered_lines(std::size_t bytes) {
  std::string out;
  for (int i = 0; out.size() < bytes; ++i) out += "line " + std::to_string(i) + "\n";
  return out;
}

TEST_P(StoreContract, ABlobIsReadInParts) {
  const std::string bytes = numbered_lines(kBlobPiece * kBlobPiecesPerCommit + 100'000);
  Result<Blob> kept = store_->put_blob(large_output("r", bytes));
  ASSERT_TRUE(kept) << kept.error().to_string();
  EXPECT_EQ(kept->sha256, sha256_hex(bytes));
  EXPECT_EQ(kept->bytes, static_cast<std::int64_t>(bytes.size()));
  close();
  open();
  const Result<Blob> found = store_->blob("r", "", kept->sha256.substr(0, 16));
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(found->sha256, kept->sha256);
  EXPECT_EQ(found->media_type, "text/plain");
  EXPECT_EQ(*store_->read_blob(kept->sha256, 0, 2 * kBlobPiece), bytes.substr(0, 2 * kBlobPiece));
  EXPECT_EQ(*store_->read_blob(kept->sha256, kBlobPiece - 3, 10), bytes.substr(kBlobPiece - 3, 10));
  EXPECT_EQ(*store_->read_blob(kept->sha256, bytes.size() - 5, 100), bytes.substr(bytes.size() - 5));
  EXPECT_EQ(*store_->read_blob(kept->sha256, bytes.size() + kBlobPiece, 100), "");
  EXPECT_EQ(store_->read_blob(kept->sha256, 0, kMaxBlobRead + 1).error().code(), Code::kInvalidArgument);
}

TEST_P(StoreContract, ABlobIsSeenByItsRunAndItsConversation) {
  const Result<Blob> kept = store_->put_blob(large_output("r", "the content"));
  ASSERT_TRUE(kept);
  EXPECT_TRUE(store_->blob("later", "c", kept->sha256));
  EXPECT_EQ(store_->blob("other", "elsewhere", kept->sha256).error().code(), Code::kNotFound);
  EXPECT_EQ(store_->blob("other", "", kept->sha256).error().code(), Code::kNotFound);
  EXPECT_EQ(store_->blob("r", "c", kept->sha256.substr(0, 4)).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(store_->blob("r", "c", "%%%%%%%%%%%%%%%%").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(store_->put_blob(large_output("r", "")).error().code(), Code::kInvalidArgument);
}

TEST_P(StoreContract, ABlobGoesWithTheLastRunThatRefersToIt) {
  const Result<Blob> kept = store_->put_blob(large_output("one", "the content"));
  ASSERT_TRUE(kept);
  ASSERT_TRUE(store_->put_blob(large_output("two", "the content", "d")));
  ASSERT_TRUE(store_->put_blob(large_output("two", "the content", "d"))) << "repeating it is no error";
  GoneHistory gone;
  gone.run = "one";
  ASSERT_TRUE(store_->forget_histories({gone}).ok());
  EXPECT_EQ(store_->blob("one", "c", kept->sha256).error().code(), Code::kNotFound);
  EXPECT_EQ(*store_->read_blob(kept->sha256, 0, 100), "the content");
  gone.run = "two";
  ASSERT_TRUE(store_->forget_histories({gone}).ok());
  EXPECT_EQ(*store_->read_blob(kept->sha256, 0, 100), "");
  ASSERT_TRUE(store_->put_blob(large_output("three", "the content")));
  EXPECT_EQ(*store_->read_blob(kept->sha256, 0, 100), "the content");
}

}  // namespace holdfast::platform
