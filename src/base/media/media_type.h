#pragma once

// What bytes are, by the bytes themselves and not by what a name or a header says of them (libmagic).

#include <string>
#include <string_view>

namespace holdfast {

// "image/png"; of text "text/plain" or what kind of text it is. "application/octet-stream": nobody can tell. What is packed
// is not unpacked. Any thread, one at a time.
std::string media_type_of(std::string_view bytes);

}  // namespace holdfast
