#include "spec/condition.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <compare>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "spec/exact.h"

namespace holdfast::spec {

using nlohmann::json;

enum class Op { kAnd, kOr, kNot, kTruthy, kEq, kNe, kLt, kLe, kGt, kGe, kIn };

namespace {

struct Operand {
  bool is_path = false;
  std::vector<std::string> path;
  json literal;
};

}  // namespace

struct Condition::Node {
  Op op = Op::kTruthy;
  Operand left, right;                                        // comparisons
  std::vector<std::shared_ptr<const Condition::Node>> terms;  // and, or, not
};

namespace {

using Node = Condition::Node;
using NodePtr = std::shared_ptr<const Node>;

constexpr int kMaxDepth = 32;

// Recursive descent; the first error wins and parsing unwinds with null.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NodePtr parse() {
    NodePtr node = disjunction(0);
    skip_space();
    if (node && at_ < text_.size()) return error("expected `and`, `or` or the end");
    return error_.empty() ? node : nullptr;
  }
  const std::string& error_message() const { return error_; }

 private:
  NodePtr error(std::string_view what) {
    if (error_.empty()) error_ = fmt::format("{} at column {}", what, at_ + 1);
    return nullptr;
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  bool take(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

  bool take_word(std::string_view word) {
    skip_space();
    std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(word)) return false;
    if (rest.size() > word.size() && is_word(rest[word.size()])) return false;
    at_ += word.size();
    return true;
  }

  NodePtr join(Op op, std::vector<NodePtr> terms) {
    if (terms.size() == 1) return terms.front();
    auto node = std::make_shared<Node>();
    node->op = op;
    node->terms = std::move(terms);
    return node;
  }

  NodePtr disjunction(int depth) {
    if (depth > kMaxDepth) return error("nested too deeply");
    std::vector<NodePtr> terms;
    do {
      NodePtr term = conjunction(depth);
      if (!term) return nullptr;
      terms.push_back(std::move(term));
    } while (take_word("or") || take("||"));
    return join(Op::kOr, std::move(terms));
  }

  NodePtr conjunction(int depth) {
    std::vector<NodePtr> terms;
    do {
      NodePtr term = unary(depth);
      if (!term) return nullptr;
      terms.push_back(std::move(term));
    } while (take_word("and") || take("&&"));
    return join(Op::kAnd, std::move(terms));
  }

  NodePtr unary(int depth) {
    if (depth > kMaxDepth) return error("nested too deeply");
    if (take_word("not")) {
      NodePtr term = unary(depth + 1);
      if (!term) return nullptr;
      auto node = std::make_shared<Node>();
      node->op = Op::kNot;
      node->terms.push_back(std::move(term));
      return node;
    }
    if (take("(")) {
      NodePtr node = disjunction(depth + 1);
      if (!node) return nullptr;
      if (!take(")")) return error("expected `)`");
      return node;
    }
    return comparison();
  }

  std::optional<Op> comparison_operator() {
    if (take("==")) return Op::kEq;
    if (take("!=")) return Op::kNe;
    if (take("<=")) return Op::kLe;
    if (take(">=")) return Op::kGe;
    if (take("<")) return Op::kLt;
    if (take(">")) return Op::kGt;
    if (take_word("in")) return Op::kIn;
    return std::nullopt;
  }

  NodePtr comparison() {
    auto node = std::make_shared<Node>();
    if (!operand(node->left)) return nullptr;
    skip_space();
    if (text_.substr(at_).starts_with("=") && !text_.substr(at_).starts_with("==")) {
      return error("`=` is no comparison, write `==`");
    }
    std::optional<Op> op = comparison_operator();
    if (!op) return node;  // a bare argument: true or not
    node->op = *op;
    if (!operand(node->right)) return nullptr;
    if (*op == Op::kIn && !node->right.is_path && !node->right.literal.is_array()) {
      return error("`in` needs a list such as [\"a\", \"b\"]");
    }
    return node;
  }

  bool operand(Operand& out) {
    skip_space();
    if (at_ >= text_.size()) return error("expected an argument name or a value"), false;
    char c = text_[at_];
    if (c == '"' || c == '\'') return string_literal(out.literal);
    if (c == '[') return list_literal(out.literal);
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '.')
      return number_literal(out.literal);
    if (take_word("true")) return out.literal = true, true;
    if (take_word("false")) return out.literal = false, true;
    if (take_word("null")) return out.literal = nullptr, true;
    return path(out);
  }

  bool path(Operand& out) {
    out.is_path = true;
    do {
      std::size_t start = at_;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      if (start == at_) return error("expected an argument name or a value"), false;
      out.path.emplace_back(text_.substr(start, at_ - start));
    } while (at_ < text_.size() && text_[at_] == '.' && ++at_);
    return true;
  }

  bool string_literal(json& out) {
    char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_++];
    }
    if (at_ >= text_.size()) return error("the string is not closed"), false;
    ++at_;
    out = std::move(value);
    return true;
  }

  // Digits alone are an integer and stay exact.
  std::optional<std::size_t> integer_digits() const {
    const std::size_t from = text_[at_] == '-' ? at_ + 1 : at_;
    const std::size_t end = std::min(text_.find_first_not_of("0123456789", from), text_.size());
    if (end == from || (end < text_.size() && (text_[end] == '.' || is_word(text_[end]))))
      return std::nullopt;
    return end - at_;
  }

  bool number_literal(json& out) {
    if (const auto length = integer_digits()) {
      const char* begin = text_.data() + at_;
      std::int64_t number = 0;
      std::uint64_t large = 0;
      if (std::from_chars(begin, begin + *length, number).ec == std::errc()) {
        out = number;
      } else if (*begin != '-' && std::from_chars(begin, begin + *length, large).ec == std::errc()) {
        out = large;
      } else {
        return error("the integer has more than 64 bits"), false;
      }
      at_ += *length;
      return true;
    }
    std::string rest(text_.substr(at_));
    char* end = nullptr;
    double value = std::strtod(rest.c_str(), &end);
    if (end == rest.c_str() || is_word(*end) || !std::isfinite(value))
      return error("expected a number"), false;
    at_ += static_cast<std::size_t>(end - rest.c_str());
    out = value;
    return true;
  }

  bool list_literal(json& out) {
    ++at_;
    out = json::array();
    if (take("]")) return true;
    do {
      Operand item;
      if (!operand(item)) return false;
      if (item.is_path || item.literal.is_array()) return error("a list holds plain values"), false;
      out.push_back(std::move(item.literal));
    } while (take(","));
    if (!take("]")) return error("expected `]`"), false;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

const json* resolve(const Operand& operand, const json& arguments) {
  if (!operand.is_path) return &operand.literal;
  const json* value = &arguments;
  for (const std::string& key : operand.path) {
    if (!value->is_object()) return nullptr;
    auto it = value->find(key);
    if (it == value->end()) return nullptr;
    value = &*it;
  }
  return value;
}

Truth truth(bool value) {
  return value ? Truth::kTrue : Truth::kFalse;
}

bool comparable(const json& a, const json& b) {
  return (a.is_number() && b.is_number()) || a.type() == b.type();
}

Truth compare(Op op, const json& a, const json& b) {
  if (op == Op::kIn) {
    if (!b.is_array()) return Truth::kUnknown;
    bool compared = b.empty();
    for (const json& item : b) {
      if (!comparable(a, item)) continue;
      if (same_value(a, item)) return Truth::kTrue;
      compared = true;
    }
    // Like 111 == "111", 111 in ["111"] compares nothing.
    return compared ? Truth::kFalse : Truth::kUnknown;
  }
  if (!comparable(a, b)) return Truth::kUnknown;
  switch (op) {
    case Op::kEq: return truth(same_value(a, b));
    case Op::kNe: return truth(!same_value(a, b));
    default: break;
  }
  if (!a.is_number() && !a.is_string()) return Truth::kUnknown;  // no order on the rest
  const std::partial_ordering order =
      a.is_string() ? a.get_ref<const std::string&>() <=> b.get_ref<const std::string&>()
                    : compare_numbers(a, b);
  switch (op) {
    case Op::kLt: return truth(order < 0);
    case Op::kLe: return truth(order <= 0);
    case Op::kGt: return truth(order > 0);
    default: return truth(order >= 0);
  }
}

Truth evaluate_node(const Node& node, const json& arguments) {
  switch (node.op) {
    case Op::kAnd:
    case Op::kOr: {
      const Truth decisive = node.op == Op::kAnd ? Truth::kFalse : Truth::kTrue;
      Truth result = node.op == Op::kAnd ? Truth::kTrue : Truth::kFalse;
      for (const NodePtr& term : node.terms) {
        Truth value = evaluate_node(*term, arguments);
        if (value == decisive) return decisive;
        if (value == Truth::kUnknown) result = Truth::kUnknown;
      }
      return result;
    }
    case Op::kNot: {
      Truth value = evaluate_node(*node.terms.front(), arguments);
      return value == Truth::kUnknown ? value : truth(value == Truth::kFalse);
    }
    case Op::kTruthy: {
      const json* value = resolve(node.left, arguments);
      return value && value->is_boolean() ? truth(value->get<bool>()) : Truth::kUnknown;
    }
    default: {
      const json* left = resolve(node.left, arguments);
      const json* right = resolve(node.right, arguments);
      return left && right ? compare(node.op, *left, *right) : Truth::kUnknown;
    }
  }
}

void collect_arguments(const Node& node, std::vector<std::string>& out) {
  for (const Operand* operand : {&node.left, &node.right}) {
    if (operand->is_path) out.push_back(operand->path.front());
  }
  for (const NodePtr& term : node.terms) collect_arguments(*term, out);
}

}  // namespace

Result<Condition> Condition::parse(std::string_view text) {
  if (text.size() > kMaxConditionBytes) {
    return fail(Code::kInvalidArgument, fmt::format("longer than {} bytes", kMaxConditionBytes));
  }
  Parser parser(text);
  NodePtr root = parser.parse();
  if (!root) return fail(Code::kInvalidArgument, parser.error_message());
  Condition condition;
  condition.text_ = text;
  condition.root_ = std::move(root);
  return condition;
}

Truth Condition::evaluate(const json& arguments) const {
  return evaluate_node(*root_, arguments);
}

std::vector<std::string> Condition::arguments_read() const {
  std::vector<std::string> out;
  collect_arguments(*root_, out);
  return out;
}

}  // namespace holdfast::spec
