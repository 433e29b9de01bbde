// Goal: what a hook calls is made of values that are there, or is not called. Method: templates and
// documents.

#include "spec/reference_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::spec {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

const json kDocument = json::parse(
    R"({"result": {"id": 7, "rows": [{"id": "a"}, {"id": "b"}]}, "arguments": {"who": "Ada"}, "key": "k1"})");

TEST(ReferenceTemplate, AWholeReferenceKeepsItsType) {
  auto filled =
      fill_references(json::parse(R"({"id": "{result.id}", "all": ["{result.rows}"], "n": 1})"), kDocument);
  ASSERT_TRUE(filled.has_value());
  EXPECT_EQ(*filled, json::parse(R"({"id": 7, "all": [[{"id": "a"}, {"id": "b"}]], "n": 1})"));
}

TEST(ReferenceTemplate, WithinATextItIsText) {
  auto filled = fill_references("for {arguments.who}: {result.id}/{result.rows.1.id} {} {key}", kDocument);
  ASSERT_TRUE(filled.has_value());
  EXPECT_EQ(*filled, "for Ada: 7/b {} k1");
}

TEST(ReferenceTemplate, WhatIsNotThereIsAnError) {
  for (const char* path : {"{result.name}", "{result.rows.2.id}", "{result.rows.x}", "{result.id.more}",
                           "{nobody}", "x{result.rows.-1}"}) {
    EXPECT_FALSE(fill_references(path, kDocument).has_value()) << path;
  }
}

TEST(ReferenceTemplate, SaysWhatItReads) {
  EXPECT_THAT(references(json::parse(R"({"a": "{key} {result.id}", "b": ["{key}"], "c": "{ no }"})")),
              ElementsAre("key", "result.id"));
}

}  // namespace
}  // namespace holdfast::spec
