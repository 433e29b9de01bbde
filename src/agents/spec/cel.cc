// Evaluation: one visit per node, charged to a budget of steps and bytes.

#include "spec/cel.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "spec/cel_arithmetic.h"
#include "spec/cel_functions.h"
#include "spec/cel_node.h"

namespace holdfast::spec::cel {

namespace {

class Evaluation {
 public:
  explicit Evaluation(const Environment& environment) : environment_(environment) {}

  Evaluated value_of_node(const Node& node) {
    if (auto over = charge(node, 1)) return std::unexpected(*over);
    switch (node.op) {
      case Op::kLiteral: return node.value;
      case Op::kName: return name(node);
      case Op::kSelect: return select(node);
      case Op::kHas: return has(node);
      case Op::kIndex: return index(node);
      case Op::kCall: return call(node);
      case Op::kMethod: return method(node);
      case Op::kList: return list(node);
      case Op::kMap: return map(node);
      case Op::kConditional: return conditional(node);
      case Op::kAnd: return junction(node, false);
      case Op::kOr: return junction(node, true);
      case Op::kNot: return negation(node);
      case Op::kAll:
      case Op::kExists:
      case Op::kExistsOne:
      case Op::kFilter:
      case Op::kTransform: return comprehension(node);
      default: return operation(node);
    }
  }

 private:
  std::unexpected<Error> error(const Node& node, ErrorKind kind, std::string message) const {
    return std::unexpected(Error{kind, std::move(message), node.column});
  }
  std::optional<Error> charge(const Node& node, std::size_t steps) {
    steps_ += steps;
    if (steps_ <= kMaxSteps) return std::nullopt;
    return Error{ErrorKind::kLimit, fmt::format("it takes more than {} steps", kMaxSteps), node.column};
  }
  // What a node has made.
  Evaluated made(const Node& node, Evaluated value) {
    if (!value) {
      value.error().column = node.column;
      return value;
    }
    const std::size_t bytes = value->own_bytes();
    made_bytes_ += bytes;
    if (made_bytes_ > kMaxMadeBytes)
      return error(node, ErrorKind::kLimit,
                   fmt::format("it makes values of more than {} bytes", kMaxMadeBytes));
    if (auto over = charge(node, bytes / 256)) return std::unexpected(*over);
    return value;
  }

  Evaluated name(const Node& node) {
    for (auto local = locals_.rbegin(); local != locals_.rend(); ++local) {
      if (local->first == node.name) return local->second;
    }
    const auto found = environment_.variables.find(node.name);
    if (found != environment_.variables.end()) return found->second;
    return error(node, ErrorKind::kUnknownName, fmt::format("there is no variable `{}`", node.name));
  }

  Evaluated select(const Node& node) {
    Evaluated of = value_of_node(*node.children[0]);
    if (!of) return of;
    const auto* rows = of->as<Map>();
    if (!rows)
      return error(node, ErrorKind::kNoOverload,
                   fmt::format("a value of type {} has no field `{}`", of->type(), node.name));
    const auto found = (*rows)->find(Key(node.name));
    if (found != (*rows)->end()) return found->second;
    return error(node, ErrorKind::kNoSuchKey, fmt::format("there is no key `{}`", node.name));
  }

  Evaluated has(const Node& node) {
    Evaluated of = value_of_node(*node.children[0]);
    if (!of) return of;
    if (const auto* rows = of->as<Map>()) return Value((*rows)->contains(Key(node.name)));
    return error(node, ErrorKind::kNoOverload,
                 fmt::format("a value of type {} has no field `{}`", of->type(), node.name));
  }

  Evaluated index(const Node& node) {
    Evaluated of = value_of_node(*node.children[0]);
    if (!of) return of;
    Evaluated at = value_of_node(*node.children[1]);
    if (!at) return at;
    const std::optional<Key> key = key_of(*at);
    if (const auto* rows = of->as<Map>()) {
      if (!key) return error(node, ErrorKind::kNoOverload, fmt::format("{} is no key of a map", at->type()));
      const auto found = (*rows)->find(*key);
      if (found != (*rows)->end()) return found->second;
      return error(node, ErrorKind::kNoSuchKey, "there is no such key");
    }
    const auto* items = of->as<List>();
    if (!items || !key || !at->is_number())
      return error(node, ErrorKind::kNoOverload, fmt::format("{}[{}] cannot be", of->type(), at->type()));
    const auto* number = std::get_if<std::int64_t>(&*key);
    const auto* large = std::get_if<std::uint64_t>(&*key);
    const bool inside = number
                            ? std::cmp_greater_equal(*number, 0) && std::cmp_less(*number, (*items)->size())
                            : large && *large < (*items)->size();
    if (!inside) return error(node, ErrorKind::kNoSuchIndex, "the index is out of range");
    return (**items)[static_cast<std::size_t>(number ? static_cast<std::uint64_t>(*number) : *large)];
  }

  std::expected<std::vector<Value>, Error> values(const Node& node) {
    std::vector<Value> out;
    out.reserve(node.children.size());
    for (const NodePtr& child : node.children) {
      Evaluated value = value_of_node(*child);
      if (!value) return std::unexpected(value.error());
      out.push_back(std::move(*value));
    }
    return out;
  }

  Evaluated call(const Node& node) {
    auto arguments = values(node);
    if (!arguments) return std::unexpected(arguments.error());
    const auto own = environment_.functions.find(node.name);
    if (own != environment_.functions.end()) {
      auto said = own->second(*arguments);
      if (!said) return error(node, ErrorKind::kHost, said.error());
      return made(node, std::move(*said));
    }
    if (!is_function(node.name))
      return error(node, ErrorKind::kUnknownName, fmt::format("there is no function `{}`", node.name));
    return made(node, call_function(node.name, *arguments));
  }

  Evaluated method(const Node& node) {
    auto arguments = values(node);
    if (!arguments) return std::unexpected(arguments.error());
    if (auto over = charge(node, arguments->front().own_bytes() / 64)) return std::unexpected(*over);
    return made(node, call_method(node.name, *arguments));
  }

  Evaluated list(const Node& node) {
    auto items = values(node);
    if (!items) return std::unexpected(items.error());
    return made(node, Value::list(std::move(*items)));
  }

  Evaluated map(const Node& node) {
    MapRows rows;
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      Evaluated key = value_of_node(*node.children[i]);
      if (!key) return key;
      Evaluated value = value_of_node(*node.children[i + 1]);
      if (!value) return value;
      std::optional<Key> at = key->as<double>() ? std::nullopt : key_of(*key);
      if (!at)
        return error(*node.children[i], ErrorKind::kNoOverload,
                     fmt::format("{} is no key of a map", key->type()));
      if (!rows.emplace(std::move(*at), std::move(*value)).second)
        return error(*node.children[i], ErrorKind::kInvalid, "the map has this key twice");
    }
    return made(node, Value::map(std::move(rows)));
  }

  Evaluated conditional(const Node& node) {
    Evaluated condition = value_of_node(*node.children[0]);
    if (!condition) return condition;
    const auto* truth = condition->as<bool>();
    if (!truth)
      return error(node, ErrorKind::kNoOverload,
                   fmt::format("{} is neither true nor false", condition->type()));
    return value_of_node(*node.children[*truth ? 1 : 2]);
  }

  // `decisive` decides, wherever it stands; without it an error stays one.
  Evaluated junction(const Node& node, bool decisive) {
    std::optional<Error> first;
    for (const NodePtr& child : node.children) {
      Evaluated value = value_of_node(*child);
      const bool* truth = value ? value->as<bool>() : nullptr;
      if (truth && *truth == decisive) return Value(decisive);
      if (truth || first) continue;
      first = value ? Error{ErrorKind::kNoOverload,
                            fmt::format("{} is neither true nor false", value->type()), child->column}
                    : value.error();
      if (first->kind == ErrorKind::kLimit) break;
    }
    if (first) return std::unexpected(*first);
    return Value(!decisive);
  }

  Evaluated negation(const Node& node) {
    Evaluated value = value_of_node(*node.children[0]);
    if (!value) return value;
    if (const auto* truth = value->as<bool>()) return Value(!*truth);
    return error(node, ErrorKind::kNoOverload, fmt::format("`!` does not take {}", value->type()));
  }

  Evaluated operation(const Node& node) {
    Evaluated left = value_of_node(*node.children[0]);
    if (!left) return left;
    if (node.op == Op::kNegate) return made(node, negate(*left));
    Evaluated right = value_of_node(*node.children[1]);
    if (!right) return right;
    std::size_t looked = 0;
    switch (node.op) {
      case Op::kEqual:
      case Op::kUnequal: {
        const bool same = equal(*left, *right, looked);
        if (auto over = charge(node, looked)) return std::unexpected(*over);
        return Value(same == (node.op == Op::kEqual));
      }
      case Op::kIn: return membership(node, *left, *right);
      case Op::kLess:
      case Op::kLessOrEqual:
      case Op::kGreater:
      case Op::kGreaterOrEqual: return comparison(node, *left, *right);
      default: return made(node, arithmetic(node.op, *left, *right));
    }
  }

  Evaluated comparison(const Node& node, const Value& left, const Value& right) {
    const auto ordered = order(left, right);
    if (!ordered)
      return error(node, ErrorKind::kNoOverload,
                   fmt::format("{} and {} have no order", left.type(), right.type()));
    switch (node.op) {
      case Op::kLess: return Value(*ordered < 0);
      case Op::kLessOrEqual: return Value(*ordered <= 0);
      case Op::kGreater: return Value(*ordered > 0);
      default: return Value(*ordered >= 0);
    }
  }

  Evaluated membership(const Node& node, const Value& item, const Value& among) {
    if (const auto* rows = among.as<Map>()) {
      const auto key = key_of(item);
      return Value(key && (*rows)->contains(*key));
    }
    const auto* items = among.as<List>();
    if (!items)
      return error(node, ErrorKind::kNoOverload,
                   fmt::format("`in` needs a list or a map, and not {}", among.type()));
    std::size_t looked = 0;
    const bool found =
        std::ranges::any_of(**items, [&](const Value& one) { return equal(item, one, looked); });
    if (auto over = charge(node, looked)) return std::unexpected(*over);
    return Value(found);
  }

  // ---- macros

  Evaluated comprehension(const Node& node) {
    Evaluated range = value_of_node(*node.children[0]);
    if (!range) return range;
    std::vector<Value> keys;
    const std::vector<Value>* items = nullptr;
    if (const auto* rows = range->as<Map>()) {
      for (const auto& [key, value] : **rows) keys.push_back(value_of(key));
      items = &keys;
    } else if (const auto* one = range->as<List>()) {
      items = one->get();
    } else {
      return error(node, ErrorKind::kNoOverload,
                   fmt::format("a macro goes over a list or a map, and not {}", range->type()));
    }
    locals_.emplace_back(node.name, Value());
    Evaluated out =
        node.op == Op::kAll || node.op == Op::kExists ? quantified(node, *items) : collected(node, *items);
    locals_.pop_back();
    return out;
  }

  Evaluated quantified(const Node& node, const std::vector<Value>& items) {
    const bool decisive = node.op == Op::kExists;
    std::optional<Error> first;
    for (const Value& item : items) {
      locals_.back().second = item;
      Evaluated said = truth_of(*node.children[1]);
      if (said && *said->as<bool>() == decisive) return Value(decisive);
      if (!said && !first) first = said.error();
      if (first && first->kind == ErrorKind::kLimit) break;
    }
    if (first) return std::unexpected(*first);
    return Value(!decisive);
  }

  Evaluated truth_of(const Node& node) {
    Evaluated said = value_of_node(node);
    if (said && !said->as<bool>())
      return error(node, ErrorKind::kNoOverload, fmt::format("{} is neither true nor false", said->type()));
    return said;
  }

  // exists_one, filter, map: an error is an error.
  Evaluated collected(const Node& node, const std::vector<Value>& items) {
    std::vector<Value> out;
    const bool transforms = node.op == Op::kTransform;
    const bool chooses = !transforms || node.children.size() == 3;
    for (const Value& item : items) {
      locals_.back().second = item;
      if (chooses) {
        Evaluated said = truth_of(*node.children[1]);
        if (!said) return said;
        if (!*said->as<bool>()) continue;
      }
      if (!transforms) {
        out.push_back(item);
        continue;
      }
      Evaluated value = value_of_node(*node.children.back());
      if (!value) return value;
      out.push_back(std::move(*value));
    }
    if (node.op == Op::kExistsOne) return Value(out.size() == 1);
    return made(node, Value::list(std::move(out)));
  }

  const Environment& environment_;
  std::vector<std::pair<std::string, Value>> locals_;
  std::size_t steps_ = 0;
  std::size_t made_bytes_ = 0;
};

// ---- what an expression reads

struct Reads {
  std::string_view of;
  std::set<std::string> names;
  std::set<std::string> fields;
  std::optional<std::set<std::string>> literals = std::set<std::string>();
};

bool is_macro(Op op) {
  return op >= Op::kAll;
}

void read_nodes(const Node& node, std::vector<std::string>& bound, Reads& out) {
  const auto is_bound = [&](const std::string& name) {
    return std::ranges::find(bound, name) != bound.end();
  };
  if (node.op == Op::kName && !is_bound(node.name)) out.names.insert(node.name);
  const bool of_name = !node.children.empty() && node.children[0]->op == Op::kName &&
                       node.children[0]->name == out.of && !is_bound(node.children[0]->name);
  if ((node.op == Op::kSelect || node.op == Op::kHas) && of_name) out.fields.insert(node.name);
  if (node.op == Op::kIndex && of_name && node.children[1]->op == Op::kLiteral) {
    if (const std::string* key = node.children[1]->value.text()) out.fields.insert(*key);
  }
  if (node.op == Op::kCall && node.name == out.of) {
    const bool literal = node.children.size() == 1 && node.children[0]->op == Op::kLiteral;
    const std::string* text = literal ? node.children[0]->value.text() : nullptr;
    if (!text) out.literals.reset();
    if (text && out.literals) out.literals->insert(*text);
  }
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const bool binds = is_macro(node.op) && i > 0;
    if (binds) bound.push_back(node.name);
    read_nodes(*node.children[i], bound, out);
    if (binds) bound.pop_back();
  }
}

Reads reads_of(const Node& root, std::string_view of) {
  Reads out;
  out.of = of;
  std::vector<std::string> bound;
  read_nodes(root, bound, out);
  return out;
}

}  // namespace

std::string_view to_string(ErrorKind kind) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "syntax",         "unsupported", "unknown_name", "no_overload", "no_such_key", "no_such_index",
      "divide_by_zero", "overflow",    "invalid",      "limit",       "host"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string Error::text() const {
  return column == 0 ? message : fmt::format("{} at column {}", message, column);
}

std::expected<Expression, Error> Expression::parse(std::string_view text,
                                                   const std::vector<std::string>& functions) {
  if (text.size() > kMaxTextBytes)
    return std::unexpected(Error{ErrorKind::kLimit, fmt::format("longer than {} bytes", kMaxTextBytes), 0});
  auto root = parse_nodes(text, functions);
  if (!root) return std::unexpected(root.error());
  Expression out;
  out.text_ = text;
  out.root_ = std::move(*root);
  return out;
}

Evaluated Expression::evaluate(const Environment& environment) const {
  return Evaluation(environment).value_of_node(*root_);
}

std::vector<std::string> Expression::names() const {
  const Reads reads = reads_of(*root_, {});
  return {reads.names.begin(), reads.names.end()};
}

std::vector<std::string> Expression::fields_of(std::string_view name) const {
  const Reads reads = reads_of(*root_, name);
  return {reads.fields.begin(), reads.fields.end()};
}

std::optional<std::vector<std::string>> Expression::literals_of(std::string_view function) const {
  const Reads reads = reads_of(*root_, function);
  if (!reads.literals) return std::nullopt;
  return std::vector<std::string>(reads.literals->begin(), reads.literals->end());
}

}  // namespace holdfast::spec::cel
