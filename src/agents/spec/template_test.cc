// Goal: an argument chosen by a model cannot leave the place the author gave it. Method: hostile values
// through every template.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spec/template.h"

namespace holdfast::spec {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(UrlTemplate, ValuesStayInTheirSegment) {
  auto url = UrlTemplate::parse("https://shop.example/orders/{id}?note={note}");
  ASSERT_TRUE(url.has_value());
  EXPECT_THAT(url->arguments(), ElementsAre("id", "note"));
  EXPECT_EQ(*url->fill({{"id", "../../admin?x=1#y"}, {"note", "a&b=c d\r\nHost: evil"}}),
            "https://shop.example/orders/..%2F..%2Fadmin%3Fx%3D1%23y?note=a%26b%3Dc%20d%0D%0AHost%3A%20evil");
  EXPECT_EQ(*url->fill({{"id", 17}, {"note", true}}), "https://shop.example/orders/17?note=true");
  EXPECT_FALSE(url->fill({{"id", ".."}, {"note", ""}}).has_value());
  EXPECT_FALSE(url->fill({{"id", 1}}).has_value());
  EXPECT_FALSE(url->fill({{"id", json::array()}, {"note", ""}}).has_value());
}

// `/orders/` is another resource than `/orders/7`: often the whole collection.
TEST(UrlTemplate, AnEmptyValueLeavesNoSegmentOut) {
  auto url = UrlTemplate::parse("https://shop.example/orders/{id}/items?note={note}#{part}");
  ASSERT_TRUE(url.has_value());
  auto filled = url->fill({{"id", ""}, {"note", "x"}, {"part", "y"}});
  ASSERT_FALSE(filled.has_value());
  EXPECT_THAT(filled.error().message(), HasSubstr("the argument `id` must not be empty"));
  EXPECT_EQ(*url->fill({{"id", 7}, {"note", ""}, {"part", ""}}),
            "https://shop.example/orders/7/items?note=#");
}

TEST(UrlTemplate, HostIsTheAuthors) {
  for (std::string_view text : {"http://{host}/", "{scheme}://a/", "http://a.{b}.c", "http://a:{port}/",
                                "http://a/{b", "http://a/ b"}) {
    EXPECT_FALSE(UrlTemplate::parse(text).has_value()) << text;
  }
  EXPECT_TRUE(UrlTemplate::parse("http://a?q={q}").has_value());
}

TEST(Body, PlaceholdersKeepTypesAndCannotEscape) {
  json body = {{"text", "Hello {name}, {amount} EUR"},
               {"amount", "{amount}"},
               {"list", {"{tags}", 5}},
               {"none", "{x}"}};
  json filled =
      fill_body(body, {{"name", "\",\"admin\":true,\"{amount}"}, {"amount", 18.5}, {"tags", {"a"}}});
  EXPECT_EQ(filled["text"], "Hello \",\"admin\":true,\"{amount}, 18.5 EUR");
  EXPECT_EQ(filled["amount"], 18.5);
  EXPECT_EQ(filled["list"], json::parse(R"([["a"],5])"));
  EXPECT_TRUE(filled["none"].is_null());
  EXPECT_FALSE(filled.contains("admin"));
  EXPECT_THAT(body_arguments(body), ElementsAre("amount", "tags", "x", "name"));
}

TEST(Sql, ParametersSkipQuotedTextAndComments) {
  EXPECT_THAT(
      sql_parameters("SELECT ':no', \":no\", a -- :no\n /* :no */ FROM t WHERE a = :yes AND b=:also AND "
                     "c = :yes AND d = :idempotency_key AND t = '12:30'"),
      ElementsAre("yes", "also"));
  EXPECT_THAT(sql_parameters("SELECT 'it''s :no' , :a"), ElementsAre("a"));
}

TEST(Sql, ParametersWithoutNamesAreSeen) {
  for (const char* statement : {"SELECT ?", "SELECT ?1", "INSERT INTO t VALUES (:a, ?)", "SELECT 'x', ?"})
    EXPECT_TRUE(has_positional_parameters(statement)) << statement;
  for (const char* statement : {"SELECT '?'", "SELECT \"a?\" -- ?", "/* ? */ SELECT :a", "SELECT [a?], `?`"})
    EXPECT_FALSE(has_positional_parameters(statement)) << statement;
}

TEST(Environment, MissingVariableIsNamed) {
  auto lookup = [](const std::string& name) -> Result<std::string> {
    if (name == "TOKEN") return "s3";
    return fail(Code::kFailedPrecondition, name + " is not set");
  };
  EXPECT_EQ(*fill_environment("Bearer ${TOKEN}!", lookup), "Bearer s3!");
  auto missing = fill_environment("${NOPE}", lookup);
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message(), HasSubstr("NOPE is not set"));
  EXPECT_THAT(environment_names("${A}/${B}${A} ${ ${}"), ElementsAre("A", "B", " ${"));
  EXPECT_THAT(environment_names("no $A, no {B}, no ${C"), ElementsAre());
}

}  // namespace
}  // namespace holdfast::spec
