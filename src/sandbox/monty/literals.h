#pragma once

// Texts that stand in a code. Monty makes U+FFFD of half a surrogate pair while it reads them, so that
// neither the code nor its result shows what was meant, and two keys can become one. Pure.

#include <cstddef>
#include <string_view>

namespace holdfast::sandbox {

// Where the first escape of half a pair stands (`\ud800`, `\U0000dc00`), in bytes; npos: there is none. Not
// looked at: comments, and raw texts and bytes, in which it is no escape.
std::size_t half_a_pair_in(std::string_view code);

}  // namespace holdfast::sandbox
