#pragma once

// CEL's own functions, and sum(). Private to this room.

#include <string_view>
#include <vector>

#include "spec/cel.h"

namespace holdfast::spec::cel {

// The error has no column yet. `arguments` of a method begin with what it is called on.
Evaluated call_function(std::string_view name, const std::vector<Value>& arguments);
Evaluated call_method(std::string_view name, const std::vector<Value>& arguments);

}  // namespace holdfast::spec::cel
