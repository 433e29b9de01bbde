// A server that starts with other grants than the last time says so in the record, once.

#include "app/operator_grants.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::app {
namespace {

using testing::ElementsAre;
using Texts = std::vector<std::string>;

class OperatorGrants : public ::testing::Test {
 protected:
  OperatorGrants() {
    platform::SqliteOptions options;
    options.directory = directory_.path();
    stores_ = *platform::open_sqlite(options, clock_, random_, flusher_);
  }
  std::vector<platform::AuditRow> rows() { return *stores_.store->audit_rows(kOperatorSubject, 10); }

  fixture::TemporaryDirectory directory_;
  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
  platform::OpenStores stores_;
};

TEST_F(OperatorGrants, AreRecordedWhenTheyAreNotWhatTheyWere) {
  ASSERT_TRUE(record_operator_grants(*stores_.store, {}).ok());
  EXPECT_TRUE(rows().empty()) << "a server without grants has nothing to say";
  ASSERT_TRUE(record_operator_grants(*stores_.store, {"env:A", "host:a"}).ok());
  ASSERT_TRUE(record_operator_grants(*stores_.store, {"env:A", "host:a"}).ok());
  ASSERT_EQ(rows().size(), 1u);
  ASSERT_TRUE(record_operator_grants(*stores_.store, {"env:A", "host:b"}).ok());
  ASSERT_EQ(rows().size(), 2u);
  const auto detail = parse_json<nlohmann::json>(rows().front().detail);
  EXPECT_THAT(detail.at("added").get<Texts>(), ElementsAre("host:b"));
  EXPECT_THAT(detail.at("removed").get<Texts>(), ElementsAre("host:a"));
  EXPECT_EQ(detail.at("sha256").get<std::string>().size(), 64u);
  ASSERT_TRUE(record_operator_grants(*stores_.store, {}).ok());
  EXPECT_EQ(rows().size(), 3u);
}

TEST_F(OperatorGrants, TheirOrderIsNoDifference) {
  EXPECT_THAT(sorted_grants({"b", "a", "b"}), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace holdfast::app
