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

}  // namespace
}  // namespace holdfast::spec
