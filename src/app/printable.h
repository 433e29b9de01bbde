#pragma once

// Text that others wrote (models, tools, people) made harmless for a terminal: a control character in it
// could move the cursor, rename the window or paint over the line above an approval. Pure values.

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::app {

// Control characters but \n and \t as visible signs: those of ASCII as their Unicode pictures, C1,
// bidirectional overrides and bytes that are no UTF-8 as U+FFFD.
std::string printable(std::string_view text);

// The same in one line: \n and \t become spaces.
std::string one_line(std::string_view text);

// printable() for text that comes in pieces, cut anywhere: what may be the beginning of a character waits for
// its rest.
class PrintableStream {
 public:
  std::string feed(std::string_view piece);
  // What still waits is no character.
  std::string finish();

 private:
  std::string rest_;
};

}  // namespace holdfast::app
