#pragma once

// The canonical layout of a YAML file, made without reading it into values and writing it again: tokens stay
// what they are, in their order and on their lines, and so do comments; what changes is the white space
// between them.
//
//   two spaces a level, lists one level below their key; one space behind `:`, `,` and `-`, none within
//   braces; "double" quotes where single ones hold neither quotes nor backslashes; one empty line at most;
//   comments stand as deep as what they belong to, two spaces at least behind what they follow.
//
// Every result is read again: the same values under the same keys in the same order, the same comments, and
// laid out once more it is itself. A file of which that is not so is refused, never damaged. Pure.

#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::spec {

inline constexpr int kMaxLayoutDepth = 100;
inline constexpr std::size_t kMaxLayoutNodes = 1'000'000;  // aliases expanded

// INVALID_ARGUMENT: it is no YAML, or cannot be laid out; "source:line:column: what is wrong".
Result<std::string> lay_out_yaml(std::string_view text, std::string_view source);

}  // namespace holdfast::spec
