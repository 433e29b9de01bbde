#pragma once

// What makes one text of another, line by line. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// Lines that begin with "-" are gone, with "+" new, with " " as they were: at most three of these around a
// change; "..." stands for more of them. Empty: the texts are equal. Of texts that are long and have nothing
// in common every line is gone and every line is new, whatever a patient reader would find.
std::vector<std::string> line_diff(std::string_view before, std::string_view after);

}  // namespace holdfast
