// The values of secrets are in no text that leaves: in whatever form, wherever it is cut, whatever they are.

#include "base/redaction.h"

#include <gtest/gtest.h>

#include <random>

namespace holdfast {
namespace {

using Secret = Redaction::Secret;

TEST(Redaction, ReplacesAValueInTheFormsInWhichTextsCarryIt) {
  const Redaction redaction({Secret("KEY", "p\"a/ss+w\\ord")});
  for (const char* text :
       {"p\"a/ss+w\\ord", R"({"k":"p\"a/ss+w\\ord"})", "x=p%22a%2Fss%2Bw%5Cord&y", "cCJhL3NzK3dcb3Jk"}) {
    EXPECT_TRUE(redaction.touches(text)) << text;
    EXPECT_NE(redaction.apply(text).find("[secret KEY]"), std::string::npos) << text;
    EXPECT_FALSE(redaction.touches(redaction.apply(text))) << text;
  }
  EXPECT_EQ(redaction.apply("nothing of it"), "nothing of it");
}

TEST(Redaction, ShortValuesAreNone) {
  const Redaction redaction({Secret("A", "1234567"), Secret("B", ""), Secret("C", "   short  \n")});
  EXPECT_EQ(redaction.apply("1234567 short"), "1234567 short");
}

TEST(Redaction, AValueMayBePartOfWhatStandsInItsPlace) {
  const Redaction redaction({Secret("SECRET_KEY", "[secret S"), Secret("OTHER", "secret SECRET_KEY")});
  EXPECT_EQ(redaction.apply("a [secret S b"), "a [secret SECRET_KEY] b");
}

TEST(Redaction, WhereSeveralBeginTheLongestCounts) {
  const Redaction redaction({Secret("SHORT", "abcdefgh"), Secret("LONG", "abcdefghij")});
  EXPECT_EQ(redaction.apply("abcdefghij abcdefgh"), "[secret LONG] [secret SHORT]");
}

TEST(Redaction, ATrailingNewlineIsNotPartOfIt) {
  EXPECT_EQ(Redaction({Secret("K", "0123456789\n")}).apply("x0123456789y"), "x[secret K]y");
}

// However a text is cut, what comes out of the stream is what comes out of the whole.
TEST(Redaction, AStreamHoldsBackWhatMayBeASecret) {
  std::mt19937 random(7);
  const Redaction redaction({Secret("A", "aabaabaab"), Secret("B", "abaabaabb"), Secret("C", "bbbbbbbb")});
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    while (text.size() < 60) text += random() % 3 == 0 ? "aabaabaab" : random() % 2 ? "b" : "a";
    Redaction::Stream stream(redaction);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random() % 9;
      out += stream.add(std::string_view(text).substr(at, size));
      at += size;
    }
    out += stream.finish();
    EXPECT_FALSE(redaction.touches(out)) << text;
    ASSERT_EQ(out, redaction.apply(text)) << text;
  }
}

TEST(Redaction, WhatCannotBeASecretIsNotHeld) {
  const Redaction redaction({Secret("A", "0123456789")});
  Redaction::Stream stream(redaction);
  EXPECT_EQ(stream.add("hello 01"), "hello ");
  EXPECT_EQ(stream.add("2x"), "012x");
  EXPECT_EQ(stream.finish(), "");
}

}  // namespace
}  // namespace holdfast
