// Goal: whatever bytes chance gives, a link's id can be handed to a command line, and its token opens it.

#include "runs/decision_links.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fixture/manual_clock.h"

namespace holdfast::runs {
namespace {

using platform::DecisionLink;

// As the first rows of the store behave: what is made is found by its id.
class OneLink final : public platform::LinkStore {
 public:
  Result<DecisionLink> make_link(const DecisionLink& wanted) override { return made_ = wanted; }
  Result<std::optional<DecisionLink>> link(std::string_view id) override {
    return id == made_.id ? std::optional(made_) : std::nullopt;
  }
  Result<std::vector<DecisionLink>> links(std::string_view) override { return std::vector{made_}; }
  Result<DecisionLink> revoke_link(std::string_view, std::string_view) override { return made_; }
  Result<platform::Approval> begin_linked_decision(std::string_view,
                                                   const platform::DecisionAttempt&) override {
    return fail(Code::kUnimplemented, "nobody decides here");
  }

 private:
  DecisionLink made_;
};

class Unlucky final : public Random {
 public:
  std::uint64_t next() override { return ~std::uint64_t{0}; }
  void fill(std::span<std::uint8_t> bytes) override { std::ranges::fill(bytes, 0xfb); }
};

TEST(DecisionLinks, AnIdIsNoOptionOfACommandLine) {
  OneLink store;
  fixture::ManualClock clock;
  Unlucky random;
  DecisionLinks links({.store = &store, .clock = &clock, .random = &random, .key = std::string(32, 'k'), .public_url = [] {
                         return std::string("https://holdfast.example/");
                       }});
  const auto made = links.make({.approval = "ap-1", .recipient = "ann", .created_by = "bob", .key = ""});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->row.id.find_first_not_of("0123456789abcdef"), std::string::npos) << made->row.id;
  const std::string token = made->url.substr(made->url.rfind('/') + 1);
  const auto found = links.find(token);
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->recipient, "ann");
  EXPECT_FALSE(links.find(token + "x")->has_value());
}

}  // namespace
}  // namespace holdfast::runs
