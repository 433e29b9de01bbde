#pragma once

// The header Content-Type, and what is written like it: "text/html; charset=utf-8" (RFC 9110, section 8.3).
// Pure.

#include <string>
#include <string_view>

namespace holdfast::net {

// In lower case, without parameters.
std::string media_type(std::string_view header);
// The value of a parameter, in lower case and without its quotes; empty: it is not there.
std::string parameter_of(std::string_view header, std::string_view name);
// Whether it says that a text is UTF-8, or says nothing about it.
bool is_utf8_text(std::string_view header);

}  // namespace holdfast::net
