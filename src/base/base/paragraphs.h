#pragma once

// Texts that were said apart, as one text. Pure.

#include <string>
#include <string_view>

namespace holdfast {

// Puts `more` behind `text` so that the end of one is never read together with the beginning of the other.
inline void add_paragraph(std::string& text, std::string_view more) {
  if (!text.empty() && !more.empty()) text += "\n\n";
  text += more;
}

}  // namespace holdfast
