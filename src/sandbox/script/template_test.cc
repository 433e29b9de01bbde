// Goal: `{{ }}` ends where its expression does, keeps its type when it stands alone, and errors have their
// place in the whole text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "script/testing.h"

namespace holdfast::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Template, OneExpressionAloneKeepsItsType) {
  EXPECT_EQ(filled("{{ n }}", R"({"n":7})"), "7");
  EXPECT_EQ(filled("{{ n }}", R"({"n":9007199254740993})"), "9007199254740993");
  EXPECT_EQ(filled("{{ [1, {a: 'x'}] }}"), R"([1,{"a":"x"}])");
  EXPECT_EQ(filled("{{ null }}"), "null");
  EXPECT_EQ(filled(" {{ n }}", R"({"n":7})"), R"(" 7")");
}

TEST(Template, ValuesAreWrittenIntoText) {
  EXPECT_EQ(filled("no braces"), R"("no braces")");
  EXPECT_EQ(filled(""), R"("")");
  EXPECT_EQ(
      filled("{{a}}-{{b}}-{{c}}-{{d}}", R"({"a":"x","b":9007199254740993,"c":[1,{"y":null}],"d":true})"),
      R"("x-9007199254740993-[1,{\"y\":null}]-true")");
}

TEST(Template, AnExpressionEndsWhereItEnds) {
  EXPECT_EQ(filled(R"({{ "}}" }}!)"), R"("}}!")");
  EXPECT_EQ(filled(R"({{{a:{b:1}}}})"), R"({"a":{"b":1}})");
  EXPECT_EQ(filled(R"({{ `}}${ {a:1}.a }}}` }})"), R"("}}1}}")");
  EXPECT_EQ(filled(R"({{ /}}/.test("}}") }} yes }})"), R"("true yes }}")");
  EXPECT_EQ(filled("{{ \"{{\" }} {{ 1 }}"), R"("{{ 1")");
  EXPECT_EQ(filled("a } b }} c"), R"("a } b }} c")");
}

TEST(Template, ErrorsHaveTheirPlaceInTheText) {
  EXPECT_THAT(filled("first\nsecond {{ x }}"), StartsWith("exception 2:11 x is not defined"));
  EXPECT_THAT(filled("{{ 1 + }} and {{ 2 }}"), StartsWith("syntax_error 1:8"));
  EXPECT_THAT(filled("a {{ b"), StartsWith("syntax_error 1:3 '{{' without its '}}'"));
  EXPECT_THAT(filled("a {{ }}"), StartsWith("syntax_error 1:"));
  EXPECT_THAT(filled("id {{ a.missing }}", R"({"a":{}})"),
              StartsWith("no_json_result 1:6 `a.missing` is undefined"));
  EXPECT_THAT(filled("{{ 1) + (2 }}"), StartsWith("syntax_error"));
}

// A misspelt name would be sent as null by whoever calls with it.
TEST(Template, WhatIsUndefinedIsNeverNull) {
  EXPECT_THAT(
      filled("{{ a.amuont }}", R"({"a":{"amount":1}})"),
      StartsWith("no_json_result 1:3 `a.amuont` is undefined: there is no such value; write `?? null`"));
  EXPECT_THAT(filled("{{ a." + std::string(300, 'x') + " }}", R"({"a":{}})"),
              HasSubstr("xxx...` is undefined"));
  EXPECT_EQ(filled("{{ a.amuont ?? null }}", R"({"a":{}})"), "null");
  EXPECT_EQ(filled("{{ a.amount }}", R"({"a":{"amount":null}})"), "null");
  EXPECT_EQ(filled("{{ {b: a.missing, c: 1} }}", R"({"a":{}})"), R"({"c":1})");
}

TEST(Template, HalfASurrogatePairIsNoText) {
  EXPECT_THAT(filled(R"(a {{ '\ud800' }})"), HasSubstr("half a surrogate pair"));
  EXPECT_THAT(filled(R"({{ '\ud800' }})"), HasSubstr("half a surrogate pair"));
  EXPECT_EQ(filled(R"(a {{ '\ud7ff' }})"), "\"a \xED\x9F\xBF\"");
}

// A wrong expression in front of very many braces is no work for the parser.
TEST(Template, BracesWithoutEndAreRefusedSoon) {
  std::string text = "{{ 1 + ";
  for (int i = 0; i < 100'000; ++i) text += "}} ";
  EXPECT_THAT(filled(text), StartsWith("syntax_error 1:8"));
  EXPECT_THAT(filled("{{" + std::string(200'000, '(') + "}}"), ::testing::Not(StartsWith("\"")));
}

TEST(Template, ItsResultHasALimit) {
  Request request{.kind = Kind::kTemplate,
                  .code = "{{ a }}{{ a }}",
                  .inputs = R"({"a":")" + std::string(600, 'x') + "\"}"};
  request.limits.output_bytes = 1000;
  EXPECT_THAT(told(run(request)), HasSubstr("longer than 1000 bytes"));
}

}  // namespace
}  // namespace holdfast::sandbox
