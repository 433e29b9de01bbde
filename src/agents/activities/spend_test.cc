// Goal: what a call is held for is at least what it can use, and what a provider tells of its usage is
// believed only as far as it can be. Method: requests and completions made by hand.

#include "activities/spend.h"

#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

Allowance allowance() {
  Allowance out;
  out.most_input = 1'000;
  out.most_output = 100;
  out.price.emplace();
  out.price->rates = {.input = 1'000'000'000,
                      .cached_input = 0,
                      .cache_write = 1'000'000'000,
                      .output = 2'000'000'000,
                      .reasoning = 2'000'000'000};
  out.price->as_of = "2026-11-28";
  return out;
}

model::Completion told(std::int64_t input, std::int64_t output) {
  model::Completion out;
  out.usage.input_tokens = input;
  out.usage.output_tokens = output;
  out.message = model::Message::assistant("hello");
  return out;
}

TEST(Spend, ARequestHasNoMoreTokensThanBytes) {
  model::Request request;
  const std::int64_t empty = most_input_tokens(request);
  EXPECT_GT(empty, 0);
  request.messages.push_back(model::Message::user(std::string(1'000, 'x')));
  EXPECT_GE(most_input_tokens(request), empty + 1'000);
  model::Part image;
  image.type = "image";
  image.json = "{}";
  request.messages.back().content.push_back(image);
  EXPECT_GE(most_input_tokens(request), empty + 10'000) << "a small image may show much";
  model::ToolDefinition tool;
  tool.description = std::string(500, 'y');
  const std::int64_t before = most_input_tokens(request);
  request.tools.push_back(tool);
  EXPECT_GE(most_input_tokens(request), before + 500);
}

TEST(Spend, AUsageThatCanBeIsBelieved) {
  model::Completion completion = told(1'000, 100);
  completion.usage.cached_input_tokens = 400;
  EXPECT_FALSE(Spend::admit(allowance(), completion));
  EXPECT_EQ(completion.usage.input_tokens, 1'000);
}

TEST(Spend, AUsageThatCannotBeIsCappedAndTold) {
  model::Completion completion = told(5'000'000'000, 7'000);
  completion.usage.cached_input_tokens = 6'000'000'000;
  completion.usage.reasoning_tokens = -3;
  const auto said = Spend::admit(allowance(), completion);
  ASSERT_TRUE(said);
  EXPECT_EQ((*said)["input_tokens"], 5'000'000'000);
  EXPECT_EQ((*said)["reasoning_tokens"], -3);
  EXPECT_EQ(completion.usage.input_tokens, 1'000);
  EXPECT_EQ(completion.usage.output_tokens, 100);
  EXPECT_EQ(completion.usage.cached_input_tokens, 1'000);
  EXPECT_EQ(completion.usage.reasoning_tokens, 0);
}

TEST(Spend, CostsAreSaidWithTheirDate) {
  EXPECT_EQ(cost_json(1'500'000, "2026-11-28"), (Json{{"usd", "0.0015"}, {"price_as_of", "2026-11-28"}}));
  EXPECT_TRUE(cost_json(std::nullopt, "").is_null());
}

}  // namespace
}  // namespace holdfast::agent
