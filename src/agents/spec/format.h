#pragma once

// What `format` of a JSON Schema says of a text, where somebody who gives the text can be told: in the forms
// of questions to people. Pure.

#include <string_view>

namespace holdfast::spec {

// date, date-time and time are those of RFC 3339, the last two with a zone; an email address and a uri may
// have letters of any language. A format that is none of these is an annotation: every text is of it.
bool is_of_format(std::string_view format, std::string_view text);

}  // namespace holdfast::spec
