// Goal: a file that is laid out says what it said, with every comment, and laying it out again changes
// nothing; what cannot be laid out is refused. Method: one text per rule, all examples, and what is made of
// them at random.

#include "spec/yaml_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace holdfast::spec {
namespace {

using ::testing::HasSubstr;

std::string laid_out(const std::string& text) {
  auto out = lay_out_yaml(text, "f.yaml");
  return out ? *std::move(out) : out.error().message();
}

TEST(YamlLayout, LaysOut) {
  struct Case {
    std::string from;
    std::string to;
  };
  for (const Case& one : std::vector<Case>{
           {"a:   1\nb :  {c:1,  d : [ 2,3 ]  }\n", "a: 1\nb: {c:1, d: [2, 3]}\n"},
           {"a: {\"c\":1}\n", "a: {\"c\": 1}\n"},
           {"a:\n    b:\n        c: 1\n", "a:\n  b:\n    c: 1\n"},
           {"a:\n- 1\n- b: 2\n  c: 3\nd: 4\n", "a:\n  - 1\n  - b: 2\n    c: 3\nd: 4\n"},
           {"a:\n    -   b: 2\n        c: 3\n", "a:\n  - b: 2\n    c: 3\n"},
           {"- - 1\n  - 2\n-\n    a: 1\n", "- - 1\n  - 2\n-\n  a: 1\n"},
           {"a: 'plain'\nb: 'it''s'\nc: 'a\"b'\nd: 'a\\b'\n",
            "a: \"plain\"\nb: 'it''s'\nc: 'a\"b'\nd: 'a\\b'\n"},
           {"\n\na: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"},
           {"a: 1", "a: 1\n"},
           {"a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n"},
           {"\xEF\xBB\xBF"
            "a: 1\n",
            "a: 1\n"},
           {"a: 1 # one\nb: 2     # two\n", "a: 1  # one\nb: 2     # two\n"},
           {"# head\n\n# more\na: 1\n# end", "# head\n\n# more\na: 1\n# end\n"},
           {"a:\n    # of b\n    b: 1\n    # behind b\nc: 2\n", "a:\n  # of b\n  b: 1\n  # behind b\nc: 2\n"},
           {"a:\n- b: 1\n# of c\nc: 2\n", "a:\n  - b: 1\n# of c\nc: 2\n"},
           {"a:\n- b: 1\n  # - x: 2\nc: 2\n", "a:\n  - b: 1\n    # - x: 2\nc: 2\n"},
           {"a: |\n      one\n        two\n\n      three\nb: 1\n", "a: |\n  one\n    two\n\n  three\nb: 1\n"},
           {"a:\n    b: |-\n        one\n\n\n\n    c: 1\n", "a:\n  b: |-\n    one\n\n  c: 1\n"},
           {"a: |+\n    one\n\n\nb: 1\n", "a: |+\n  one\n\n\nb: 1\n"},
           {"a:\n    b: |2\n          one\n       two\n", "a:\n  b: |2\n        one\n     two\n"},
           {"- >-\n   one\n   two\n", "- >-\n  one\n  two\n"},
           {"a: one\n       two\nb: \"x\n     y\"\n", "a: one\n  two\nb: \"x\n  y\"\n"},
           {"a: {b: 1,\n    c: [1,\n  2],\n}\n", "a: {b: 1,\n    c: [1,\n      2],\n  }\n"},
           {"{\n\"a\":1,\n\"b\":[\n1\n]\n}\n", "{\n  \"a\": 1,\n  \"b\": [\n    1\n  ]\n}\n"},
           {"a: &x {b: 1}\nc: *x\nd: !!str 1\n", "a: &x {b: 1}\nc: *x\nd: !!str 1\n"},
           {"---\na: 1\n---\nb: 2\n", "---\na: 1\n---\nb: 2\n"},
           {"\"\xC3\xA4\":   \"\xE2\x82\xAC\" # \xC3\xB6\n", "\"\xC3\xA4\": \"\xE2\x82\xAC\"  # \xC3\xB6\n"},
           {"a:\n  # only a comment\n", "a:\n  # only a comment\n"},
           {"a: [x, # one\n    y]\n", "a: [x,  # one\n    y]\n"},
           {"", ""},
           {"# nothing\n", "# nothing\n"},
           {"x-place: {x: 1}\nunknown:   kept\n", "x-place: {x: 1}\nunknown: kept\n"},
       }) {
    const std::string out = laid_out(one.from);
    EXPECT_EQ(out, one.to) << one.from;
    EXPECT_EQ(laid_out(out), out);
  }
}

TEST(YamlLayout, RefusesWhatItCannot) {
  EXPECT_THAT(laid_out("a: [1\n"), HasSubstr("f.yaml:2:1: broken YAML"));
  EXPECT_THAT(laid_out("? a\n: b\n"), HasSubstr("f.yaml:1:1: a key of its own"));
  EXPECT_THAT(laid_out("a: 1\rb: 2\n"), HasSubstr("control character"));
  EXPECT_THAT(laid_out("a: \"x\xE2\x80\xA8y\"\n"), HasSubstr("a line break of Unicode"));
  EXPECT_THAT(laid_out(std::string(5000, '[')), HasSubstr("deeper than 100 levels"));
  EXPECT_THAT(laid_out("a: \xFF\n"), HasSubstr("f.yaml:"));
  // Aliases that make much of little are not compared for ever.
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    laughs += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) laughs += std::string(i ? ", *" : "*") + static_cast<char>(name - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(laid_out(laughs), HasSubstr("it is left as it is"));
}

std::vector<std::string> examples() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(HOLDFAST_EXAMPLES)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream file(entry.path());
    out.emplace_back((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  }
  return out;
}

TEST(YamlLayout, IsItselfOnEveryExample) {
  const auto texts = examples();
  EXPECT_GE(texts.size(), 10U);
  for (const std::string& text : texts) {
    const auto out = lay_out_yaml(text, "f.yaml");
    ASSERT_TRUE(out) << out.error().message() << "\n" << text;
    EXPECT_EQ(laid_out(*out), *out) << text;
  }
}

TEST(YamlLayout, ClosesNothingThatIsNotOpen) {
  for (const char* text : {"]\n", "]}'\n# x\n", "a: 1\n]}\nb\n", "# x\n]}'\napiVersion: \"a.\n# b\nc\"\n"})
    EXPECT_FALSE(lay_out_yaml(text, "f.yaml")) << text;
}

// Spaces, comments and lines at random: it is laid out as what it says demands, or refused, and never
// changed: that is judged by lay_out_yaml itself, so what is left to see here is that it comes to an end in a
// text that stands.
TEST(YamlLayout, StandsWhateverIsDoneToExamples) {
  std::mt19937 random(42);
  const auto texts = examples();
  const std::vector<std::string> pieces = {" ", "  ", "\n", "\n\n", " # x\n", "# y\n", "\t",  "- ", ": ",
                                           "'", "\"", "{",  "]",    ",",      "|",     "&a ", "*a"};
  std::size_t taken = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = texts[random() % texts.size()];
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 3 == 0)
        text.erase(at, random() % 4);
      else
        text.insert(at, pieces[random() % pieces.size()]);
    }
    const auto out = lay_out_yaml(text, "f.yaml");
    if (!out) continue;
    ++taken;
    EXPECT_EQ(laid_out(*out), *out) << text;
  }
  EXPECT_GE(taken, 100U);
}

}  // namespace
}  // namespace holdfast::spec
