#pragma once

// The contract of what agents remember (platform/contract.h): versions, limits, a search that finds the same
// in every database, and an end that leaves nothing.

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "platform/contract.h"

namespace holdfast::platform {

inline MemoryWrite note_about(std::string_view subject, std::string_view name, std::string_view text,
                              std::string_view key) {
  MemoryWrite out;
  out.subject = subject;
  out.name = name;
  out.text = text;
  out.run = "r";
  out.key = key;
  return out;
}

inline std::vector<std::string> names_of(const Result<std::vector<MemoryEntry>>& entries) {
  std::vector<std::string> out;
  if (!entries) return {entries.error().to_string()};
  for (const MemoryEntry& entry : *entries) out.push_back(entry.name);
  return out;
}

TEST_P(StoreContract, AnEntryHasVersionsAndARepeatedCallMakesNone) {
  ASSERT_TRUE(store_->remember(note_about("ada", "diet", "vegetarian", "k1")));
  EXPECT_EQ(store_->remember(note_about("ada", "diet", "vegetarian", "k1"))->version, 1);
  EXPECT_EQ(store_->remember(note_about("ada", "diet", "vegan since May", "k2"))->version, 2);
  EXPECT_EQ(store_->remember(note_about("ada", "diet", "vegan since May", "k3"))->version, 2)
      << "it says nothing new";
  close();
  open();
  EXPECT_EQ(store_->remember(note_about("ada", "diet", "vegetarian", "k1"))->version, 2)
      << "an attempt of long ago comes again";
  const auto versions = store_->memory_versions("ada", "diet");
  ASSERT_TRUE(versions) << versions.error().to_string();
  ASSERT_EQ(versions->size(), 2u);
  EXPECT_EQ((*versions)[0].text, "vegan since May");
  EXPECT_EQ((*versions)[1].text, "vegetarian");
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(
        store_->remember(note_about("ada", "diet", "v" + std::to_string(i), "w" + std::to_string(i))));
  }
  EXPECT_EQ(store_->memory_versions("ada", "diet")->size(), static_cast<std::size_t>(kMaxMemoryVersions) + 1);
}

TEST_P(StoreContract, ASubjectFindsItsOwnEntriesBestFirst) {
  ASSERT_TRUE(store_->remember(note_about("ada", "delivery", "Parcels go to the neighbour, Mr Jansen", "1")));
  ASSERT_TRUE(store_->remember(note_about("ada", "parcel-7", "The parcel was lost; parcel refunded", "2")));
  ASSERT_TRUE(
      store_->remember(note_about("ada", "tea", "Prefers GRÜNEN Tee, \xe7\xb7\x91\xe8\x8c\xb6", "3")));
  ASSERT_TRUE(store_->remember(note_about("bob", "parcel", "parcel parcel parcel", "4")));
  EXPECT_THAT(names_of(store_->search_memory("ada", "parcel", 10)),
              ::testing::ElementsAre("parcel-7", "delivery"));
  EXPECT_THAT(names_of(store_->search_memory("ada", "gr\xc3\xbcnen TEE", 10)), ::testing::ElementsAre("tea"));
  EXPECT_THAT(names_of(store_->search_memory("ada", "\xe8\x8c\xb6", 10)), ::testing::ElementsAre("tea"));
  EXPECT_THAT(names_of(store_->search_memory("ada", "' OR 1=1 --", 10)), ::testing::IsEmpty());
  EXPECT_THAT(names_of(store_->memories("ada", "", 2)), ::testing::ElementsAre("delivery", "parcel-7"));
  EXPECT_THAT(names_of(store_->memories("ada", "parcel-7", 2)), ::testing::ElementsAre("tea"));
  ASSERT_TRUE(store_->remember(note_about("ada", "parcel-7", "All settled", "5")));
  EXPECT_THAT(names_of(store_->search_memory("ada", "refunded", 10)), ::testing::IsEmpty())
      << "an older version is not what is remembered";
}

TEST_P(StoreContract, MemoryIsLimitedAndForgotten) {
  MemoryWrite note = note_about("ada", "a", "12345", "1");
  note.limits.entries = 2;
  note.limits.bytes = 12;
  ASSERT_TRUE(store_->remember(note));
  note.name = "b";
  note.key = "2";
  ASSERT_TRUE(store_->remember(note));
  note.name = "c";
  note.key = "3";
  EXPECT_EQ(store_->remember(note).error().code(), Code::kResourceExhausted);
  note.name = "b";
  note.text = "12345678";
  EXPECT_EQ(store_->remember(note).error().code(), Code::kResourceExhausted);
  EXPECT_FALSE(*store_->forget_memory("ada", "c"));
  EXPECT_TRUE(*store_->forget_memory("ada", "a"));
  EXPECT_FALSE(*store_->forget_memory("ada", "a"));
  EXPECT_TRUE(store_->remember(note));
  const auto versions = store_->memory_versions("ada", "a");
  ASSERT_EQ(versions->size(), 1u);
  EXPECT_TRUE(versions->front().forgotten);
  EXPECT_EQ(versions->front().text, "");
  EXPECT_THAT(names_of(store_->search_memory("ada", "12345", 10)), ::testing::ElementsAre("b"));
  note.name = "a";
  note.text = "anew";
  note.key = "4";
  EXPECT_EQ(store_->remember(note)->version, 3) << "numbers go on";
}

TEST_P(StoreContract, ASubjectIsErasedWholeAndThatIsWrittenDown) {
  ASSERT_TRUE(store_->remember(note_about("ada", "diet", "vegetarian", "1")));
  ASSERT_TRUE(store_->remember(note_about("ada", "diet", "vegan", "2")));
  ASSERT_TRUE(store_->remember(note_about("bob", "diet", "anything", "3")));
  auto subjects = store_->memory_subjects("", 10);
  ASSERT_TRUE(subjects) << subjects.error().to_string();
  ASSERT_EQ(subjects->size(), 2u);
  EXPECT_EQ(subjects->front().subject, "ada");
  EXPECT_EQ(subjects->front().entries, 1);
  EXPECT_EQ(subjects->front().bytes, 5);
  AuditRow row;
  row.actor = "operator";
  row.detail = "asked for by letter";
  EXPECT_EQ(*store_->erase_memory("ada", row), 1);
  close();
  open();
  EXPECT_TRUE(store_->memories("ada", "", 10)->empty());
  EXPECT_TRUE(store_->memory_versions("ada", "diet")->empty());
  EXPECT_TRUE(store_->search_memory("ada", "vegan", 10)->empty());
  EXPECT_EQ(store_->memories("bob", "", 10)->size(), 1u);
  const auto audit = store_->audit_rows("ada", 10);
  ASSERT_EQ(audit->size(), 1u);
  EXPECT_EQ(audit->front().action, kMemoryErased);
  EXPECT_EQ(audit->front().actor, "operator");
}

}  // namespace holdfast::platform
