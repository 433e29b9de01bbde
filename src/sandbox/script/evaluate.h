#pragma once

// evaluate: one request on one isolate, whole: inputs in, code run, result out. What goes wrong is a failure
// with its kind and, where it is known, its place in the code. Never throws.

#include "script/isolate.h"
#include "wire/message.h"

namespace holdfast::sandbox {

// The isolate is used up: the next request gets another one.
Reply evaluate(Isolate& isolate, const Request& request);

}  // namespace holdfast::sandbox
