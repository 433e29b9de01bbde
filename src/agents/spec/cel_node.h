#pragma once

// An expression of CEL as a tree, and its parser. Private to this room; see spec/cel.h.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spec/cel.h"

namespace holdfast::spec::cel {

enum class Op : std::uint8_t {
  kLiteral,      // value
  kName,         // name
  kSelect,       // name of children[0]
  kHas,          // the same: is it there?
  kIndex,        // children[0][children[1]]
  kCall,         // name(children...)
  kMethod,       // children[0].name(children[1]...)
  kList,         // children
  kMap,          // children: key, value, key, value
  kConditional,  // children[0] ? children[1] : children[2]
  kAnd,          // all children
  kOr,           // one of them
  kNot,
  kNegate,
  kIn,
  kEqual,
  kUnequal,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  // Macros: children[0] is the range, `name` the variable, children[1] what is said of it.
  kAll,
  kExists,
  kExistsOne,
  kFilter,
  kTransform,  // and children[2], if it is there: what of those that children[1] takes
};

struct Node {
  Op op = Op::kLiteral;
  std::size_t column = 1;
  int depth = 1;
  std::string name;
  Value value;
  std::vector<std::unique_ptr<Node>> children;
};
using NodePtr = std::unique_ptr<Node>;

std::expected<NodePtr, Error> parse_nodes(std::string_view text, const std::vector<std::string>& functions);

// Whether CEL's own functions have this name: size(x), or x.size().
bool is_function(std::string_view name);
bool is_method(std::string_view name);

}  // namespace holdfast::spec::cel
