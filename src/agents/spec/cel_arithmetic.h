#pragma once

// Arithmetic of CEL: what does not fit is an error, never another number. Private to this room.

#include <expected>
#include <string>

#include "spec/cel.h"
#include "spec/cel_node.h"

namespace holdfast::spec::cel {

// From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z.
bool is_timestamp(Nanos nanos);
// Nanoseconds in 64 bits, as in CEL's implementations: 292 years.
bool is_duration(Nanos nanos);

Evaluated negate(const Value& value);
// kAdd, kSubtract, kMultiply, kDivide, kModulo. The error has no column yet.
Evaluated arithmetic(Op op, const Value& left, const Value& right);
// Of numbers: an int or an uint while it fits and all are, else a double. None is 0.
Evaluated sum(const std::vector<Value>& items);

}  // namespace holdfast::spec::cel
