// Goal: the demo's own judgement can be trusted: its agent and shop are valid, and its checks fail when a
// step runs twice, an effect is missing or doubled. Method: the parts on their own; the whole demo is run by
// tests/demo.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "refund/agent_files.h"
#include "refund/demo.h"
#include "refund/report.h"

namespace holdfast::demo {
namespace {

using ::testing::HasSubstr;

TEST(Demo, TheAgentIsValid) {
  AgentPlaces places;
  places.model_url = "http://127.0.0.1:1/v1";
  places.receiver_url = "http://127.0.0.1:2";
  places.database = "/tmp/shop.db";
  auto agent = agent::parse_definition(refund_agent(places), "agent.yaml");
  ASSERT_TRUE(agent.has_value()) << agent.error().message();
  EXPECT_EQ(agent->tools.size(), 5u);
}

TEST(Demo, TheShopIsTheSameEveryTime) {
  const fixture::TemporaryDirectory directory;
  const auto file = directory / "shop.db";
  ASSERT_TRUE(make_shop(file).ok());
  auto state = read_shop(file);
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->orders, 320);
  EXPECT_EQ(state->customers, 40);
  EXPECT_EQ(state->refunds, 25);
  EXPECT_EQ(state->refunds_of_order, 0);
  EXPECT_EQ(state->order_status, "delivered");
}

TEST(Demo, KillPointsAreParsed) {
  os::SystemRandom random;
  EXPECT_EQ(parse_kill_point("3", random)->number, 3);
  EXPECT_EQ(parse_kill_point("10", random)->kind, KillPoint::Kind::kApproval);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(parse_kill_point("random", random).has_value());
  for (const char* wrong : {"0", "11", "-1", "", "ten", "3x"}) {
    auto point = parse_kill_point(wrong, random);
    ASSERT_FALSE(point.has_value()) << wrong;
    EXPECT_THAT(point.error().message(), HasSubstr("from 1 to 10"));
  }
}

RunEvent event(std::uint64_t seq, std::string type, Json data) {
  RunEvent out;
  out.seq = seq;
  out.type = std::move(type);
  out.data = std::move(data);
  return out;
}

Facts good_run() {
  Facts facts;
  std::uint64_t seq = 0;
  for (int step = 1; step <= kSteps + 1; ++step) {
    facts.events.push_back(event(++seq, "step.started", {{"step", step}, {"kind", "sql"}, {"name", "t"}}));
    facts.events.push_back(event(++seq, "step.completed", {{"step", step}, {"kind", "sql"}, {"name", "t"}}));
  }
  facts.killed_by_signal = 9;
  facts.status = "completed";
  facts.before.refunds = 25;
  facts.after.refunds = 26;
  facts.after.refunds_of_order = 1;
  facts.after.refunded_of_order = kTotal;
  facts.messages = {{"support", "a", "k1", 1}, {"finance", "b", "k2", 2}, {"customer", "c", "k3", 1}};
  facts.deliveries = 4;
  facts.approvals = Json::parse(R"([{"status":"approved"}])");
  return facts;
}

TEST(Demo, ChecksHoldForAGoodRunAndFailForABadOne) {
  EXPECT_TRUE(all_hold(check(good_run())));
  auto fails = [](auto change) {
    Facts facts = good_run();
    change(facts);
    return !all_hold(check(facts));
  };
  EXPECT_TRUE(fails([](Facts& f) { f.events.push_back(event(23, "step.started", {{"step", 4}})); }));
  EXPECT_TRUE(fails([](Facts& f) { f.events.pop_back(), f.events.erase(f.events.begin() + 1); }));
  EXPECT_TRUE(fails([](Facts& f) { f.after.refunds_of_order = 2; }));
  EXPECT_TRUE(fails([](Facts& f) { f.after.refunds = 27; }));
  EXPECT_TRUE(fails([](Facts& f) { f.messages.pop_back(); }));
  EXPECT_TRUE(fails([](Facts& f) { f.messages.push_back(f.messages.back()); }));
  EXPECT_TRUE(fails([](Facts& f) { f.status = "failed"; }));
  EXPECT_TRUE(fails([](Facts& f) { f.killed_by_signal = 0; }));
  EXPECT_TRUE(fails([](Facts& f) { f.approvals.clear(); }));
  EXPECT_TRUE(fails([](Facts& f) { f.events[3].seq = 9; }));
}

}  // namespace
}  // namespace holdfast::demo
