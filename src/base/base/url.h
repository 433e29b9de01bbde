#pragma once

// Percent-encoding (RFC 3986, section 2.1), for URLs that are written and URLs that are read. Pure. Here and
// not in `net`, because definitions of tools hold URLs and deterministic code reads definitions.

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

// Everything but the unreserved characters, so that the text is one value wherever it stands in a URL.
std::string percent_encode(std::string_view text);

// "a%20b+c" -> "a b+c"; with `plus_is_space` (query strings) "a b c". None: a broken escape.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// `body` becomes `body&name=value`: forms (application/x-www-form-urlencoded) and query strings.
void add_field(std::string& body, std::string_view name, std::string_view value);

}  // namespace holdfast
