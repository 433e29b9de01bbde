// Nothing that a model or a tool writes reaches the terminal as a command to it, and honest text stays as it
// is, wherever a stream cuts it.

#include "app/printable.h"

#include <gtest/gtest.h>

namespace holdfast::app {
namespace {

TEST(Printable, HonestTextStays) {
  for (std::string_view text :
       {"", "plain\n\ttext", "h\u00E9llo \u65E5\u672C \U0001F600", "caf\u00E9\u00A0au lait"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, ControlsBecomeVisible) {
  EXPECT_EQ(printable("a\x1b[2Kb"), "a\u241B[2Kb");
  EXPECT_EQ(printable("\x1b]0;title\a"), "\u241B]0;title\u2407");
  EXPECT_EQ(printable("over\rwritten\b"), "over\u240Dwritten\u2408");
  EXPECT_EQ(printable(std::string_view("\0\x7f", 2)), "\u2400\u2421");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            "\uFFFD2J");                                   // CSI as one C1 character
  EXPECT_EQ(printable("\u202Egnp.exe"), "\uFFFDgnp.exe");  // right to left from here
  EXPECT_EQ(one_line("a\nb\tc\u2028d"), "a b c\uFFFDd");
}

TEST(Printable, BrokenUtf8IsReplaced) {
  EXPECT_EQ(printable("a\x9b"
                      "b"),
            "a\uFFFDb");
  EXPECT_EQ(printable("\xC0\x9b"), "\uFFFD\uFFFD");  // overlong ESC
  EXPECT_EQ(printable("\xE0\x80\x9b"), "\uFFFD");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\uFFFD");  // a surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\uFFFD");
  EXPECT_EQ(printable("\xE2\x82"), "\uFFFD");
  EXPECT_EQ(printable("\xE2\x1b"), "\uFFFD\u241B");  // a cut character hides nothing
}

TEST(Printable, AStreamMayBeCutAnywhere) {
  std::string text = "caf\u00E9 \u65E5\u672C \U0001F600 \x1b[31m \xC2\x9B end";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    PrintableStream stream;
    std::string out = stream.feed(std::string_view(text).substr(0, cut));
    out += stream.feed(std::string_view(text).substr(cut));
    EXPECT_EQ(out + stream.finish(), printable(text)) << cut;
  }
  PrintableStream stream;
  std::string out;
  for (char c : text) out += stream.feed(std::string_view(&c, 1));
  EXPECT_EQ(out, printable(text));
  EXPECT_EQ(stream.feed("\xE2"), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

}  // namespace
}  // namespace holdfast::app
