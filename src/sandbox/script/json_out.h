#pragma once

// JavaScript into JSON, as JSON.stringify writes it, but for what that loses: a BigInt leaves as the integer
// that it is; NaN, Infinity, functions, symbols, Map, Set, errors, generators and whatever else JSON has not,
// and what holds itself, are errors that name the place. toJSON is called; what is undefined in an object is
// left out; half a surrogate pair, also in a name, is such an error.

#include <quickjs.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace holdfast::sandbox {

enum class Written : std::uint8_t {
  kWhole,
  kNoJson,   // `error` says what and where
  kTooLong,  // it has more bytes than it may
  kThrew,    // the code of the value threw; the exception is in the context
};

// Appends to `out`, which then has at most `most` bytes.
Written write_json(JSContext* context, JSValueConst value, std::size_t most, std::string& out,
                   std::string& error);

}  // namespace holdfast::sandbox
