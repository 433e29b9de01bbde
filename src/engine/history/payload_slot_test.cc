// Goal: a place of a large payload is known as what it is, and bytes that only look like one are not. Method:
// slots are signed, read, looked for in the bytes of rows, and counted.

#include "history/payload_slot.h"

#include <gtest/gtest.h>

#include "history/stored.h"

namespace holdfast::history {
namespace {

const SlotSigner kSigner(std::string(32, 'k'));
constexpr PayloadSlot kSlot{.epoch = 3, .number = 77, .bytes = 1'000'000};

TEST(PayloadSlotTest, IsReadAsItWasSigned) {
  const std::string data = kSigner.sign(kSlot);
  EXPECT_EQ(data.size(), kSlotBytes);
  const auto slot = kSigner.read(data);
  ASSERT_TRUE(slot.has_value());
  EXPECT_EQ(slot->epoch, 3);
  EXPECT_EQ(slot->number, 77);
  EXPECT_EQ(slot->bytes, 1'000'000);
}

TEST(PayloadSlotTest, EveryBytesCounts) {
  const std::string data = kSigner.sign(kSlot);
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::string changed = data;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(kSigner.read(changed)) << i;
  }
  EXPECT_FALSE(kSigner.read(data.substr(1)));
  EXPECT_FALSE(kSigner.read(data + "x"));
  EXPECT_FALSE(SlotSigner(std::string(32, 'x')).read(data)) << "of another store";
}

TEST(PayloadSlotTest, IsFoundInARow) {
  pb::history::v1::History page;
  for (int i = 0; i < 2; ++i) {
    auto& input = *page.add_events()->mutable_workflow_execution_signaled_event_attributes()->mutable_input();
    input.add_payloads()->set_data(kSigner.sign({.epoch = 1, .number = i, .bytes = 10'000}));
    input.add_payloads()->set_data(SlotSigner("another").sign(kSlot));
  }
  std::vector<std::int64_t> numbers;
  kSigner.find(serialize(page), [&](const PayloadSlot& slot) { numbers.push_back(slot.number); });
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{0, 1}));
  kSigner.find(kSigner.sign(kSlot).substr(0, 40), [](const PayloadSlot&) { FAIL() << "cut short"; });
}

TEST(PayloadSlotTest, CountsAsWhatStandsBehindIt) {
  Event event;
  auto& input = *event.mutable_workflow_execution_started_event_attributes()->mutable_input();
  input.add_payloads()->set_data("small");
  const std::int64_t small = bytes_of(event);
  EXPECT_EQ(small, static_cast<std::int64_t>(event.ByteSizeLong()));
  input.add_payloads()->set_data(kSigner.sign(kSlot));
  EXPECT_GE(bytes_of(event), small + kSlot.bytes);
  EXPECT_LE(bytes_of(event), small + kSlot.bytes + 10);
}

// Whoever sends bytes that look like a slot pays for them, within bounds.
TEST(PayloadSlotTest, AWrongOneCountsNothingSenseless) {
  std::string data = kSigner.sign(kSlot);
  for (std::size_t i = 24; i < 32; ++i) data[i] = '\xFF';
  EXPECT_EQ(bytes_behind(data), 0);
  data[24] = '\x7F';
  EXPECT_EQ(bytes_behind(data), 0);
}

}  // namespace
}  // namespace holdfast::history
