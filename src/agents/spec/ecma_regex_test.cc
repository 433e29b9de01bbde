// Goal: a pattern means what ECMA-262 says, or is refused. Method: patterns that RE2 alone would read in
// another way.

#include <gtest/gtest.h>

#include "spec/ecma_regex.h"

namespace holdfast::spec {
namespace {

bool is(std::string_view pattern, std::string_view text) {
  const Status status = check_pattern(pattern);
  EXPECT_TRUE(status.ok()) << pattern << ": " << status.message();
  return matches_pattern(pattern, text);
}

TEST(EcmaRegex, MeansWhatEcmaSays) {
  EXPECT_TRUE(is("^[a-z]+$", "abc"));
  EXPECT_FALSE(is("^abc$", "abc\n"));
  EXPECT_TRUE(is("b", "abc")) << "anywhere";
  EXPECT_TRUE(is("^\\s$", "\xc2\xa0"));
  EXPECT_FALSE(is("^\\S$", "\xc2\xa0"));
  EXPECT_TRUE(is("^[\\s]$", "\xe2\x80\xa8"));
  EXPECT_FALSE(is("^.$", "\xe2\x80\xa8"));
  EXPECT_TRUE(is("^.$", "\xf0\x9f\x98\x80"));
  EXPECT_FALSE(is("^\\d$", "\xd9\xa3"));
  EXPECT_TRUE(is("^\\u00e9\\x41\\u{1f600}\\ud83d\\ude00$",
                 "\xc3\xa9"
                 "A\xf0\x9f\x98\x80\xf0\x9f\x98\x80"));
  EXPECT_TRUE(is("^\\cJ$", "\n"));
  EXPECT_TRUE(is("^\\p{Letter}\\p{Script=Greek}\\P{Lu}$", "a\xce\xb1z"));
  EXPECT_TRUE(is("^[[:alpha:]]$", ":]")) << "no class by name";
  EXPECT_TRUE(is("^\\/[\\-a\\]]$", "/]"));
  EXPECT_TRUE(is("^(?<year>\\d{4})(?:-\\d\\d)?$", "2026-11"));
}

TEST(EcmaRegex, WhatIsNotSupportedIsRefused) {
  for (const char* pattern : {"(?=a)",   "(?!a)",   "(?<=a)b",
                              "(?<!a)b", "(a)\\1",  "\\k<a>",
                              "[]",      "[^]",     "(?i)a",
                              "\\Aa",    "\\z",     "\\Q",
                              "[a",      "a\\",     "(",
                              "a**",     "\\u12",   "\\p{Nothing}",
                              "[\\S]",   "\\ud83d", "((((a{1000}){1000}){1000}){1000})"}) {
    EXPECT_FALSE(check_pattern(pattern).ok()) << pattern;
    EXPECT_FALSE(matches_pattern(pattern, "a")) << pattern;
  }
  EXPECT_FALSE(check_pattern(std::string(kMaxPatternBytes + 1, 'a')).ok());
}

TEST(EcmaRegex, NoPatternTakesForEver) {
  EXPECT_FALSE(is("^(a+)+$", std::string(100'000, 'a') + "b"));
  EXPECT_FALSE(is("^(a|aa)*c$", std::string(100'000, 'a')));
}

}  // namespace
}  // namespace holdfast::spec
