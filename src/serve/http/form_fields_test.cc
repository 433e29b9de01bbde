// Goal: whatever a form's schema says, a browser without any script can fill it in, and what it sends becomes
// the answer that was meant. Method: schemas to fields, and posted texts to JSON.

#include "http/form_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace holdfast::http {
namespace {

using nlohmann::json;
using Kind = FormField::Kind;

const json kForm = json::parse(R"({"type": "object", "required": ["yes", "some"], "properties": {
  "yes": {"type": "boolean", "title": "Yes?"}, "n": {"type": "integer", "default": 3}, "x": {"type": "number"},
  "one": {"enum": ["a", 2, null], "default": 2}, "some": {"type": "array", "items": {"enum": ["p", "q"]}},
  "short": {"type": "string", "maxLength": 20}, "long": {"type": "string"},
  "mail": {"type": "string", "format": "email"}, "deep": {"type": "object"}}})");

json answered(const std::vector<Header>& posted, const json& form = kForm) {
  return answer_of(fields_of(form), posted);
}

TEST(FormFields, EachTypeHasAFieldThatFitsIt) {
  std::map<std::string, FormField> by_name;
  for (FormField& field : fields_of(kForm)) by_name[field.name] = field;
  EXPECT_EQ(by_name["yes"].kind, Kind::kYesNo);
  EXPECT_EQ(by_name["yes"].label, "Yes?");
  EXPECT_TRUE(by_name["yes"].required);
  EXPECT_EQ(by_name["n"].kind, Kind::kNumber);
  EXPECT_EQ(by_name["n"].initial, "3");
  EXPECT_EQ(by_name["one"].kind, Kind::kOne);
  EXPECT_EQ(by_name["one"].initial, "1");
  EXPECT_EQ(by_name["some"].kind, Kind::kSome);
  EXPECT_EQ(by_name["short"].kind, Kind::kText);
  EXPECT_EQ(by_name["long"].kind, Kind::kLines);
  EXPECT_EQ(by_name["mail"].input_type, "email");
  EXPECT_EQ(by_name["deep"].kind, Kind::kJson);
}

TEST(FormFields, WhatIsTypedBecomesWhatIsMeant) {
  EXPECT_EQ(answered({{"f.yes", "true"},
                      {"f.n", "-7"},
                      {"f.x", "2.5"},
                      {"f.one", "2"},
                      {"f.some", "1"},
                      {"f.some", "0"},
                      {"f.long", "a\r\nb"},
                      {"f.deep", R"({"a": [1]})"},
                      {"f.unknown", "x"},
                      {"decision", "answer"}}),
            json::parse(R"({"yes": true, "n": -7, "x": 2.5, "one": null, "some": ["q", "p"], "long": "a\nb",
                            "deep": {"a": [1]}})"));
  EXPECT_EQ(answered({{"f.yes", ""}, {"f.short", ""}}), json::parse(R"({"some": []})"));
}

// The schema says what is wrong with them.
TEST(FormFields, WhatIsNoneStaysAText) {
  EXPECT_EQ(
      answered(
          {{"f.yes", "on"}, {"f.n", "7x"}, {"f.x", "[]"}, {"f.one", "3"}, {"f.some", "-1"}, {"f.deep", "{"}}),
      json::parse(R"({"yes": "on", "n": "7x", "x": "[]", "one": "3", "some": ["-1"], "deep": "{"})"));
}

TEST(FormFields, AFormThatIsNoListOfFieldsIsTyped) {
  const json form = json::parse(R"({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]})");
  ASSERT_EQ(fields_of(form).size(), 1u);
  EXPECT_EQ(answered({{"f.", R"({"a": 1})"}}, form), json::parse(R"({"a": 1})"));
  EXPECT_EQ(answered({}, form), json::object());
}

}  // namespace
}  // namespace holdfast::http
