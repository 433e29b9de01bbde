// Recursive descent over CEL's grammar; the first error wins.

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "spec/cel_node.h"
#include "spec/cel_token.h"

namespace holdfast::spec::cel {

namespace {

using Parsed = std::expected<NodePtr, Error>;
using Kind = Token::Kind;

constexpr int kMaxNesting = 64;  // of what stands in brackets

constexpr std::array<std::string_view, 21> kReserved = {
    "false",    "true",    "null",      "in",       "as",  "break",  "const",
    "continue", "else",    "for",       "function", "if",  "import", "let",
    "loop",     "package", "namespace", "return",   "var", "void",   "while"};

struct Operator {
  std::string_view sign;
  Op op;
};
constexpr Operator kRelations[] = {{"==", Op::kEqual},       {"!=", Op::kUnequal},
                                   {"<=", Op::kLessOrEqual}, {">=", Op::kGreaterOrEqual},
                                   {"<", Op::kLess},         {">", Op::kGreater}};
constexpr Operator kSums[] = {{"+", Op::kAdd}, {"-", Op::kSubtract}};
constexpr Operator kProducts[] = {{"*", Op::kMultiply}, {"/", Op::kDivide}, {"%", Op::kModulo}};

struct Macro {
  std::string_view name;
  Op op;
};
constexpr Macro kMacros[] = {{"all", Op::kAll},
                             {"exists", Op::kExists},
                             {"exists_one", Op::kExistsOne},
                             {"filter", Op::kFilter},
                             {"map", Op::kTransform}};

class Parser {
 public:
  Parser(std::string_view text, const std::vector<std::string>& functions)
      : tokens_(text), functions_(functions) {}

  Parsed parse() {
    if (auto failed = advance()) return std::unexpected(*failed);
    Parsed out = expression();
    if (!out) return out;
    if (token_.kind != Kind::kEnd) return error("expected an operator or the end");
    return out;
  }

 private:
  // ---- tokens

  std::optional<Error> advance(bool negative = false) {
    auto next = tokens_.next(negative);
    if (!next) return next.error();
    token_ = std::move(*next);
    return std::nullopt;
  }
  bool at_sign(std::string_view sign) const { return token_.kind == Kind::kSign && token_.text == sign; }
  std::unexpected<Error> error(std::string what, ErrorKind kind = ErrorKind::kSyntax) const {
    return std::unexpected(Error{kind, std::move(what), token_.at + 1});
  }
  // None: it was there, and is behind us.
  std::optional<Error> expect(std::string_view sign) {
    if (!at_sign(sign)) return error(fmt::format("expected `{}`", sign)).error();
    return advance();
  }

  Parsed node(Op op, std::size_t column, std::vector<NodePtr> children, std::string name = {}) {
    auto out = std::make_unique<Node>();
    out->op = op;
    out->column = column;
    out->name = std::move(name);
    for (const NodePtr& child : children) out->depth = std::max(out->depth, child->depth + 1);
    out->children = std::move(children);
    if (out->depth > kMaxDepth)
      return std::unexpected(Error{ErrorKind::kLimit, "the expression nests too deeply", column});
    return out;
  }
  Parsed node(Op op, std::size_t column, NodePtr first, NodePtr second) {
    std::vector<NodePtr> children;
    children.push_back(std::move(first));
    children.push_back(std::move(second));
    return node(op, column, std::move(children));
  }

  // ---- operators, the loosest first

  Parsed expression() {
    if (++nesting_ > kMaxNesting) return error("the expression nests too deeply", ErrorKind::kLimit);
    Parsed out = conditional();
    --nesting_;
    return out;
  }

  Parsed conditional() {
    Parsed condition = disjunction();
    if (!condition || !at_sign("?")) return condition;
    const std::size_t column = token_.at + 1;
    if (auto failed = advance()) return std::unexpected(*failed);
    Parsed then = disjunction();
    if (!then) return then;
    if (auto failed = expect(":")) return std::unexpected(*failed);
    Parsed otherwise = expression();
    if (!otherwise) return otherwise;
    std::vector<NodePtr> children;
    children.push_back(std::move(*condition));
    children.push_back(std::move(*then));
    children.push_back(std::move(*otherwise));
    return node(Op::kConditional, column, std::move(children));
  }

  Parsed disjunction() { return joined("||", Op::kOr, &Parser::conjunction); }
  Parsed conjunction() { return joined("&&", Op::kAnd, &Parser::relation); }

  Parsed joined(std::string_view sign, Op op, Parsed (Parser::*term)()) {
    Parsed first = (this->*term)();
    if (!first || !at_sign(sign)) return first;
    const std::size_t column = token_.at + 1;
    std::vector<NodePtr> terms;
    terms.push_back(std::move(*first));
    while (at_sign(sign)) {
      if (auto failed = advance()) return std::unexpected(*failed);
      Parsed next = (this->*term)();
      if (!next) return next;
      terms.push_back(std::move(*next));
    }
    return node(op, column, std::move(terms));
  }

  std::optional<Op> relation_here() const {
    if (token_.kind == Kind::kName && token_.text == "in") return Op::kIn;
    return operator_here(kRelations);
  }
  std::optional<Op> operator_here(std::span<const Operator> among) const {
    if (token_.kind != Kind::kSign) return std::nullopt;
    for (const Operator& one : among) {
      if (one.sign == token_.text) return one.op;
    }
    return std::nullopt;
  }

  Parsed relation() {
    Parsed left = chain(kSums, [this] { return chain(kProducts, [this] { return unary(); }); });
    while (left) {
      const auto op = relation_here();
      if (!op) return left;
      const std::size_t column = token_.at + 1;
      if (auto failed = advance()) return std::unexpected(*failed);
      Parsed right = chain(kSums, [this] { return chain(kProducts, [this] { return unary(); }); });
      if (!right) return right;
      left = node(*op, column, std::move(*left), std::move(*right));
    }
    return left;
  }

  template <typename Term>
  Parsed chain(std::span<const Operator> among, Term term) {
    Parsed left = term();
    while (left) {
      const auto op = operator_here(among);
      if (!op) return left;
      const std::size_t column = token_.at + 1;
      if (auto failed = advance()) return std::unexpected(*failed);
      Parsed right = term();
      if (!right) return right;
      left = node(*op, column, std::move(*left), std::move(*right));
    }
    return left;
  }

  Parsed unary() {
    std::vector<std::size_t> signs;
    const bool minus = at_sign("-");
    const std::string_view sign = minus ? "-" : "!";
    while (at_sign(sign)) {
      signs.push_back(token_.at + 1);
      const bool of_number = minus && tokens_.number_follows();
      if (auto failed = advance(of_number)) return std::unexpected(*failed);
      if (of_number) signs.pop_back();
    }
    if (at_sign("!") || at_sign("-")) return error("expected a value");
    Parsed out = member();
    for (; out && !signs.empty(); signs.pop_back()) {
      std::vector<NodePtr> child;
      child.push_back(std::move(*out));
      out = node(minus ? Op::kNegate : Op::kNot, signs.back(), std::move(child));
    }
    return out;
  }

  // ---- values, and what hangs on them

  Parsed member() {
    Parsed out = primary();
    while (out) {
      if (at_sign("{"))
        return error("messages cannot be made here; maps are written {\"key\": value}",
                     ErrorKind::kUnsupported);
      if (at_sign(".")) {
        out = selected(std::move(*out));
      } else if (at_sign("[")) {
        out = indexed(std::move(*out));
      } else {
        return out;
      }
    }
    return out;
  }

  Parsed indexed(NodePtr of) {
    const std::size_t column = token_.at + 1;
    if (auto failed = advance()) return std::unexpected(*failed);
    if (at_sign("?")) return error("optional values are not supported", ErrorKind::kUnsupported);
    Parsed index = expression();
    if (!index) return index;
    if (auto failed = expect("]")) return std::unexpected(*failed);
    return node(Op::kIndex, column, std::move(of), std::move(*index));
  }

  Parsed selected(NodePtr of) {
    if (auto failed = advance()) return std::unexpected(*failed);
    if (at_sign("?")) return error("optional values are not supported", ErrorKind::kUnsupported);
    const bool quoted = token_.kind == Kind::kQuotedName;
    if (token_.kind != Kind::kName && !quoted) return error("expected a name");
    if (token_.text == "in" || token_.text == "true" || token_.text == "false" || token_.text == "null") {
      if (!quoted)
        return error(fmt::format("`{}` is no name here; write [\"{}\"]", token_.text, token_.text));
    }
    const std::size_t column = token_.at + 1;
    std::string name = token_.text;
    if (auto failed = advance()) return std::unexpected(*failed);
    std::vector<NodePtr> children;
    children.push_back(std::move(of));
    if (!at_sign("(") || quoted) return node(Op::kSelect, column, std::move(children), std::move(name));
    auto arguments = list(")");
    if (!arguments) return std::unexpected(arguments.error());
    for (NodePtr& one : *arguments) children.push_back(std::move(one));
    for (const Macro& macro : kMacros) {
      if (macro.name == name) return comprehension(macro, column, std::move(children));
    }
    if (!is_method(name))
      return std::unexpected(
          Error{ErrorKind::kUnsupported, fmt::format("there is no function `{}` of a value", name), column});
    return node(Op::kMethod, column, std::move(children), std::move(name));
  }

  Parsed comprehension(const Macro& macro, std::size_t column, std::vector<NodePtr> children) {
    const std::size_t given = children.size() - 1;
    const bool transforms = macro.op == Op::kTransform;
    if (given != 2 && given != 3)
      return std::unexpected(Error{
          ErrorKind::kSyntax, fmt::format("`{}` needs a variable and an expression", macro.name), column});
    if (given == 3 && !transforms)
      return std::unexpected(
          Error{ErrorKind::kUnsupported, fmt::format("`{}` has one variable here", macro.name), column});
    if (children[1]->op != Op::kName)
      return std::unexpected(Error{
          ErrorKind::kSyntax, fmt::format("the first argument of `{}` is the name of a variable", macro.name),
          children[1]->column});
    std::string variable = children[1]->name;
    children.erase(children.begin() + 1);
    return node(macro.op, column, std::move(children), std::move(variable));
  }

  // From the bracket to its end; commas between, and one at the end of lists.
  std::expected<std::vector<NodePtr>, Error> list(std::string_view end) {
    if (auto failed = advance()) return std::unexpected(*failed);
    std::vector<NodePtr> out;
    while (!at_sign(end)) {
      if (at_sign("?")) return error("optional values are not supported", ErrorKind::kUnsupported);
      Parsed item = expression();
      if (!item) return std::unexpected(item.error());
      out.push_back(std::move(*item));
      if (!at_sign(",")) break;
      if (auto failed = advance()) return std::unexpected(*failed);
      if (end == ")" && at_sign(end)) return error("expected a value");
    }
    if (auto failed = expect(end)) return std::unexpected(*failed);
    return out;
  }

  Parsed map_literal() {
    const std::size_t column = token_.at + 1;
    if (auto failed = advance()) return std::unexpected(*failed);
    std::vector<NodePtr> rows;
    while (!at_sign("}")) {
      if (at_sign("?")) return error("optional values are not supported", ErrorKind::kUnsupported);
      Parsed key = expression();
      if (!key) return key;
      if (auto failed = expect(":")) return std::unexpected(*failed);
      Parsed value = expression();
      if (!value) return value;
      rows.push_back(std::move(*key));
      rows.push_back(std::move(*value));
      if (!at_sign(",")) break;
      if (auto failed = advance()) return std::unexpected(*failed);
    }
    if (auto failed = expect("}")) return std::unexpected(*failed);
    return node(Op::kMap, column, std::move(rows));
  }

  Parsed primary() {
    const std::size_t column = token_.at + 1;
    if (token_.kind == Kind::kLiteral) return literal(std::move(token_.value));
    if (token_.kind == Kind::kName) return named();
    if (at_sign("(")) {
      if (auto failed = advance()) return std::unexpected(*failed);
      Parsed out = expression();
      if (!out) return out;
      if (auto failed = expect(")")) return std::unexpected(*failed);
      return out;
    }
    if (at_sign("[")) {
      auto items = list("]");
      if (!items) return std::unexpected(items.error());
      return node(Op::kList, column, std::move(*items));
    }
    if (at_sign("{")) return map_literal();
    if (at_sign(".")) return error("names of another container are not supported", ErrorKind::kUnsupported);
    return error("expected a value");
  }

  Parsed literal(Value value) {
    auto out = std::make_unique<Node>();
    out->column = token_.at + 1;
    out->value = std::move(value);
    if (auto failed = advance()) return std::unexpected(*failed);
    return out;
  }

  Parsed named() {
    const std::string name = token_.text;
    const std::size_t column = token_.at + 1;
    if (name == "true" || name == "false") return literal(Value(name == "true"));
    if (name == "null") return literal(Value());
    if (std::ranges::find(kReserved, name) != kReserved.end())
      return error(fmt::format("`{}` is a word of the language and no name", name));
    if (auto failed = advance()) return std::unexpected(*failed);
    if (!at_sign("(")) return node(Op::kName, column, {}, name);
    auto arguments = list(")");
    if (!arguments) return std::unexpected(arguments.error());
    if (name == "has") return presence(column, std::move(*arguments));
    if (!is_function(name) && std::ranges::find(functions_, name) == functions_.end())
      return std::unexpected(
          Error{ErrorKind::kUnsupported, fmt::format("there is no function `{}`", name), column});
    return node(Op::kCall, column, std::move(*arguments), name);
  }

  Parsed presence(std::size_t column, std::vector<NodePtr> arguments) {
    if (arguments.size() != 1 || arguments.front()->op != Op::kSelect)
      return std::unexpected(Error{ErrorKind::kSyntax, "has() asks about a field: has(args.name)", column});
    auto out = std::make_unique<Node>();
    Node& field = *arguments.front();
    out->op = Op::kHas;
    out->column = column;
    out->depth = field.depth;
    out->name = field.name;
    out->children = std::move(field.children);
    return out;
  }

  Tokens tokens_;
  const std::vector<std::string>& functions_;
  Token token_;
  int nesting_ = 0;
};

}  // namespace

std::expected<NodePtr, Error> parse_nodes(std::string_view text, const std::vector<std::string>& functions) {
  return Parser(text, functions).parse();
}

}  // namespace holdfast::spec::cel
