// Transactions that share a sync: who is in no hurry goes along, and is not forgotten when nobody comes.

#include "platform/group_commit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace holdfast::platform {
namespace {

struct Nothing {};
using Group = GroupCommit<Nothing>;

class GroupCommitTest : public ::testing::Test {
 protected:
  void commit(Group::Batch& batch) {
    sizes_.push_back(batch.size());
    Nothing nothing;
    for (auto* piece : batch) piece->status = (*piece->work)(nothing);
  }

  std::vector<std::size_t> sizes_;  // the leader's
};

TEST_F(GroupCommitTest, WhoIsInNoHurryGoesAlong) {
  Group group([this](Group::Batch& batch) { commit(batch); }, std::chrono::hours(1));
  const Group::Work work = [](Nothing&) { return Status(); };
  std::atomic<bool> done = false;
  std::thread patient([&] {
    EXPECT_TRUE(group.run(work, Haste::kWithOthers).ok());
    done = true;
  });
  while (!done) EXPECT_TRUE(group.run(work).ok());
  patient.join();
  EXPECT_EQ(std::ranges::count(sizes_, 2), 1) << "one batch had both";
}

TEST_F(GroupCommitTest, AndLeadsWhenNobodyComes) {
  Group group([this](Group::Batch& batch) { commit(batch); }, std::chrono::microseconds(1));
  const Status failed = group.run([](Nothing&) { return Status(Code::kAborted, "no"); }, Haste::kWithOthers);
  EXPECT_EQ(failed.code(), Code::kAborted);
  EXPECT_EQ(sizes_, std::vector<std::size_t>{1});
}

}  // namespace
}  // namespace holdfast::platform
