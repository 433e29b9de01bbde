// Goal: a model has the price that the nearest list says, or none. Method: the list that is compiled in, and
// small files of an operator, good and bad.

#include "price/price_table.h"

#include <gmock/gmock.h>

namespace holdfast::price {
namespace {

using ::testing::HasSubstr;

std::string file(const std::string& models, const std::string& hosts = R"(["*"])") {
  return R"({"format": 1, "as_of": "2026-12-01", "currency": "USD", "per_tokens": 1000000, "providers": [{"name": "ours", "hosts": )" +
         hosts + R"(, "models": [)" + models + "]}]}";
}

TEST(PriceTable, WhatIsCompiledInIsKnownByHostAndName) {
  const PriceTable& table = PriceTable::builtin();
  const auto price = table.find("api.openai.com", "gpt-4o-mini");
  ASSERT_TRUE(price);
  EXPECT_EQ(price->rates.input, 150'000'000);
  EXPECT_EQ(price->rates.cached_input, 75'000'000);
  EXPECT_EQ(price->rates.output, 600'000'000);
  EXPECT_EQ(price->as_of, table.as_of());
  EXPECT_TRUE(table.find("api.openai.com:443", "gpt-4o-mini"));
  EXPECT_TRUE(table.find("api.anthropic.com", "claude-haiku-4-5-20251001"));
  EXPECT_TRUE(table.find("generativelanguage.googleapis.com", "gemini-2.5-pro")->long_rates);
  EXPECT_FALSE(table.find("api.openai.com", "gpt-4o-mini-of-ours"));
  EXPECT_FALSE(table.find("127.0.0.1:11434", "gpt-4o-mini")) << "another server's prices are not known";
  EXPECT_FALSE(table.find("api.openai.com.evil.example", "gpt-4o-mini"));
}

TEST(PriceTable, TheOperatorsFileGoesFirst) {
  PriceTable table = PriceTable::builtin();
  table.override_with(*PriceTable::read(file(R"({"match": ["gpt-4o*"], "input": "1.00", "output": "2.00"},
      {"match": ["llama-*", "local"], "input": "0", "output": "0"})"),
                                        "ours.json"));
  EXPECT_EQ(table.find("api.openai.com", "gpt-4o-mini")->rates.input, 1'000'000'000);
  EXPECT_EQ(table.find("api.openai.com", "gpt-4o-mini")->as_of, "2026-12-01");
  EXPECT_EQ(table.find("localhost:8000", "llama-3")->rates.output, 0)
      << "free is what somebody says, not what is unknown";
  EXPECT_TRUE(table.find("api.openai.com", "gpt-4.1"));
  EXPECT_EQ(table.as_of(), "2026-12-01");
}

TEST(PriceTable, TheMoreExactNameIsRight) {
  const auto table = PriceTable::read(file(R"({"match": ["m-*"], "input": "1", "output": "1"},
      {"match": ["m-large"], "input": "3", "output": "3"}, {"match": ["m-l*"], "input": "2", "output": "2"})"),
                                      "x");
  ASSERT_TRUE(table) << table.error().message();
  EXPECT_EQ(table->find("h", "m-large")->rates.input, 3'000'000'000);
  EXPECT_EQ(table->find("h", "m-light")->rates.input, 2'000'000'000);
  EXPECT_EQ(table->find("h", "m-small")->rates.input, 1'000'000'000);
  EXPECT_EQ(table->find("h", "m-small")->rates.cached_input, 1'000'000'000) << "no discount is known";
}

TEST(PriceTable, MistakesAreNamedWithTheirPlace) {
  const auto error = [](const std::string& text) {
    const auto read = PriceTable::read(text, "p.json");
    return read ? std::string("read") : read.error().message();
  };
  EXPECT_THAT(error("["), HasSubstr("p.json: "));
  EXPECT_THAT(error("{}"), HasSubstr("format"));
  EXPECT_THAT(error(file(R"({"match": ["m"], "input": 2.5, "output": "1"})")),
              HasSubstr("providers[0].models[0].input: must be dollars as a text"));
  EXPECT_THAT(error(file(R"({"match": ["m"], "input": "-1", "output": "1"})")), HasSubstr("models[0].input"));
  EXPECT_THAT(error(file(R"({"match": ["m"], "input": "1"})")), HasSubstr("needs `input` and `output`"));
  EXPECT_THAT(error(file(R"({"match": [], "input": "1", "output": "1"})")), HasSubstr("match"));
  EXPECT_THAT(error(file(R"({"match": ["m"], "input": "9001", "output": "1"})")), HasSubstr("9,000"));
  EXPECT_THAT(error(file(R"({"match": ["m"], "input": "1", "output": "1", "inptu": "2"})")),
              HasSubstr("`inptu` is not known"));
  EXPECT_THAT(error(file(R"({"match": ["m"], "input": "1", "output": "1", "as_of": "2026-13-01"})")),
              HasSubstr("as_of"));
}

TEST(PriceTable, StarsStandForAnything) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "aXbYc"));
  EXPECT_TRUE(matches("*.example.com", "eu.example.com"));
  EXPECT_FALSE(matches("*.example.com", "example.com"));
  EXPECT_FALSE(matches("a*b", "a"));
  EXPECT_FALSE(matches("", "a"));
}

}  // namespace
}  // namespace holdfast::price
