#pragma once

// JSON into JavaScript, exactly: an integer that a Number cannot hold becomes a BigInt; where asked, what has
// a fraction or an exponent becomes the string that it is. "__proto__" is a name like any other.

#include <quickjs.h>

#include <optional>
#include <string>
#include <string_view>

#include "script/value.h"

namespace holdfast::sandbox {

// None: `error` says what is wrong with the text; when it is empty, the engine threw (its memory is short).
std::optional<Value> read_value(JSContext* context, std::string_view text, bool decimals_as_text,
                                std::string& error);

}  // namespace holdfast::sandbox
