// A text of one byte must not take the memory of whoever reads it.

#include "spec/yaml_documents.h"

#include <gtest/gtest.h>

namespace holdfast::spec {
namespace {

TEST(YamlDocuments, AreThoseOfYamlCpp) {
  EXPECT_EQ(yaml_documents("").size(), 0U);
  EXPECT_EQ(yaml_documents("a: 1\n").size(), 1U);
  const auto two = yaml_documents("a: 1\n---\nb: 2\n...\n");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[1]["b"].as<int>(), 2);
  EXPECT_EQ(yaml_documents("---\n---\n---\n").size(), YAML::LoadAll("---\n---\n---\n").size());
}

TEST(YamlDocuments, ATextThatGoesOnWithNoDocumentIsBroken) {
  for (const char* text : {",", ",\n", "--- ,\n", "a: 1\n---\n,\n", "'a' ,"})
    EXPECT_THROW(yaml_documents(text), YAML::Exception) << text;
}

TEST(YamlDocuments, OfATextThatIsOneASecondIsNotPassedOver) {
  EXPECT_EQ(yaml_document("a: 1\n---\n")["a"].as<int>(), 1);
  EXPECT_TRUE(yaml_document("").IsNull());
  EXPECT_THROW(yaml_document("a: 1\n---\nb: 2\n"), YAML::ParserException);
  EXPECT_THROW(yaml_document(","), YAML::ParserException);
}

// As encoders write it that keep to ASCII.
TEST(YamlDocuments, JsonMayEscapeCharactersBeyond16Bits) {
  const YAML::Node json =
      yaml_document(R"({"a": "smile \ud83d\ude00", "\uD83D\uDE00": ["\\ud83d\\ude00", "\u00e9"]})");
  EXPECT_EQ(json["a"].as<std::string>(), "smile \xf0\x9f\x98\x80");
  EXPECT_EQ(json["\xf0\x9f\x98\x80"][0].as<std::string>(), "\\ud83d\\ude00");
  EXPECT_EQ(json["\xf0\x9f\x98\x80"][1].as<std::string>(), "\xc3\xa9");
  // What is no JSON may mean the letters.
  EXPECT_EQ(yaml_document("a: |\n  \\ud83d\\ude00\n")["a"].as<std::string>(), "\\ud83d\\ude00\n");
  EXPECT_THROW(yaml_document(R"({"a": "\ud83d"})"), YAML::ParserException);
}

TEST(YamlDocuments, WhatIsNotUtf8IsRefusedWhereItStands) {
  try {
    yaml_documents("a: 1\nb: \xc3\xa9h\xe9llo\n");
    FAIL() << "it was read";
  } catch (const YAML::ParserException& error) {
    EXPECT_EQ(error.mark.line, 1);
    EXPECT_EQ(error.mark.column, 5);
    EXPECT_NE(error.msg.find("0xe9 is not UTF-8"), std::string::npos) << error.msg;
  }
  EXPECT_THROW(yaml_documents("a: \"\\N\"\n"), YAML::ParserException);
  EXPECT_THROW(yaml_documents("a: \"\\_\"\n"), YAML::ParserException);
  EXPECT_EQ(yaml_document("a: \"\\u0085\\xa0\"\n")["a"].as<std::string>(), "\xc2\x85\xc2\xa0");
  EXPECT_EQ(yaml_document(std::string("\xff\xfe"
                                      "a\0:\0 \0b\0",
                                      10))["a"]
                .as<std::string>(),
            "b");
}

TEST(YamlDocuments, ATagThatIsNotObeyedIsRefused) {
  for (const char* text : {"a: !!binary aGVsbG8=", "a: !python/object:os.system x", "!!set {a, b}",
                           "- !!omap [a: 1]", "a: !Secret b", "a: !!map 5"})
    EXPECT_THROW(yaml_documents(text), YAML::ParserException) << text;
  EXPECT_EQ(yaml_documents("!!map {a: !!str 5, b: !!seq [!!int 5, ! c], d: !!null ~}").size(), 1U);
}

}  // namespace
}  // namespace holdfast::spec
