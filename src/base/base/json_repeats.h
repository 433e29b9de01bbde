#pragma once

// Members of one name in one object. Readers differ on what such a text says (RFC 8259, section 4), so
// whoever takes orders as JSON refuses it, where it would otherwise keep one of two and lose the other.

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

// The first name that an object in the text has twice; none: every name is there once, or this is not JSON.
// Linear in the text; never throws.
std::optional<std::string> repeated_member(std::string_view json);

}  // namespace holdfast
