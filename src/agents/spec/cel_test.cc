// Goal: an expression says what CEL says it does, and what cannot be said is an error with its kind and
// place, never a guess. Method: a table of our own over the whole subset; bounds; what an expression reads.
// CEL's own vectors are `./dev judge cel`.

#include "spec/cel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::spec::cel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Environment environment() {
  Environment out;
  out.variables.emplace("args", Value::of_json({{"amount", 120},
                                                {"rate", 0.5},
                                                {"to", "ann@example.com"},
                                                {"tags", {"a", "b"}},
                                                {"order", {{"id", 7}}},
                                                {"big", 18446744073709551615u},
                                                {"none", nullptr}}));
  out.variables.emplace("now", Value(Timestamp{Nanos{1'764'000'000} * 1'000'000'000}));
  out.functions.emplace("calls", [](const std::vector<Value>& in) -> std::expected<Value, std::string> {
    if (in.size() != 1 || !in[0].text()) return std::unexpected("calls() takes the name of a tool");
    if (*in[0].text() != "refund") return Value::list({});
    return Value::of_json(
        {{{"ok", true}, {"args", {{"amount", 300}}}}, {{"ok", false}, {"args", {{"amount", 9}}}}});
  });
  return out;
}

Evaluated said(std::string_view text) {
  const auto expression = Expression::parse(text, {"calls"});
  if (!expression) return std::unexpected(expression.error());
  return expression->evaluate(environment());
}

TEST(Cel, SaysWhatIsTrue) {
  for (const char* text : {
           "args.amount > 100 && args.to.endsWith('@example.com')",
           "args.amount == 120.0 && args.amount == 120u && !(args.amount == '120')",
           "args.big == 18446744073709551615u && args.big > args.amount",
           "args.amount + 5 == 125 && args.amount * -2 == -240 && 7 / 2 == 3 && -7 % 3 == -1",
           "args.rate * 2.0 == 1.0 && 1.0 / 0.0 > 1e308",
           "'b' in args.tags && !('c' in args.tags) && 'amount' in args",
           "args.tags[0] == 'a' && args['order'].id == 7 && args.order.id in [1, 7]",
           "has(args.order.id) && !has(args.order.no) && args.none == null",
           "args.tags.all(t, size(t) == 1) && args.tags.exists(t, t == 'b') && args.tags.exists_one(t, t == "
           "'a')",
           "args.tags.map(t, t + t) == ['aa', 'bb'] && args.tags.filter(t, t > 'a') == ['b']",
           "[1, 2, 3].map(n, n > 1, n * 10) == [20, 30] && {'x': 1, 2: 'y'}[2] == 'y'",
           "args.to.matches('^[a-z]+@') && args.to.startsWith('ann') && args.to.contains('@ex')",
           "string(args.amount) == '120' && int('5') == 5 && double('1.5') == 1.5 && uint(3) == 3u",
           "size('grüße') == 5 && size(b'grüße') == 7 && 'grüße'.size() == 5",
           "now - timestamp('2025-11-24T15:00:00Z') == duration('1h') && now.getHours('+01:00') == 17",
           "duration('1h30m') == duration('90m') && now > timestamp(0) && string(duration('90s')) == '90s'",
           "true || args.no.such > 1",
           "args.no.such > 1 || true",
           "!(args.no.such > 1 && false)",
           "args.amount > 100 ? true : args.no.such",
           "calls('refund').exists(c, c.ok) && size(calls('mail')) == 0",
           "calls('refund').filter(c, c.ok).map(c, c.args.amount).sum() + args.amount == 420",
           "[1, 2.5].sum() == 3.5 && [].sum() == 0 && 0x10 == 16 && r'\\n' == '\\\\n'",
       }) {
    const Evaluated value = said(text);
    ASSERT_TRUE(value.has_value()) << text << ": " << value.error().text();
    const bool* truth = value->as<bool>();
    EXPECT_TRUE(truth && *truth) << text;
  }
}

TEST(Cel, AnErrorHasItsKindAndItsColumn) {
  struct Row {
    const char* text;
    ErrorKind kind;
    std::size_t column;
  };
  for (const Row& row : {Row{"args.amount >", ErrorKind::kSyntax, 14},
                         Row{"args.amount = 5", ErrorKind::kSyntax, 13},
                         Row{"(1 == 1", ErrorKind::kSyntax, 8},
                         Row{"'x", ErrorKind::kSyntax, 3},
                         Row{"1 == 1 2", ErrorKind::kSyntax, 8},
                         Row{"for == 1", ErrorKind::kSyntax, 1},
                         Row{"9223372036854775808 > 1", ErrorKind::kSyntax, 1},
                         Row{"args.all(1, true)", ErrorKind::kSyntax, 10},
                         Row{"type(1) == int", ErrorKind::kUnsupported, 1},
                         Row{"args.?amount", ErrorKind::kUnsupported, 6},
                         Row{"a.B{c: 1}", ErrorKind::kUnsupported, 4},
                         Row{"amount > 1", ErrorKind::kUnknownName, 1},
                         Row{"args.no > 1", ErrorKind::kNoSuchKey, 6},
                         Row{"args.tags[2] == 'c'", ErrorKind::kNoSuchIndex, 10},
                         Row{"args.amount > 'a'", ErrorKind::kNoOverload, 13},
                         Row{"args.amount + 1.0", ErrorKind::kNoOverload, 13},
                         Row{"args.amount && true", ErrorKind::kNoOverload, 6},
                         Row{"9223372036854775807 + 1", ErrorKind::kOverflow, 21},
                         Row{"1u - 2u", ErrorKind::kOverflow, 4},
                         Row{"1 / 0", ErrorKind::kDivideByZero, 3},
                         Row{"int('five')", ErrorKind::kInvalid, 1},
                         Row{"args.to.matches('(')", ErrorKind::kInvalid, 9},
                         Row{"{'a': 1, 'a': 2}", ErrorKind::kInvalid, 10},
                         Row{"calls(1)", ErrorKind::kHost, 1}}) {
    const Evaluated value = said(row.text);
    ASSERT_FALSE(value.has_value()) << row.text;
    EXPECT_EQ(value.error().kind, row.kind) << row.text << ": " << value.error().text();
    EXPECT_EQ(value.error().column, row.column) << row.text << ": " << value.error().text();
  }
}

TEST(Cel, WhatGoesBeyondItsBoundsIsAnError) {
  EXPECT_EQ(said(std::string(kMaxTextBytes + 1, ' ')).error().kind, ErrorKind::kLimit);
  EXPECT_EQ(said(std::string(1000, '(')).error().kind, ErrorKind::kLimit);
  std::string deep = "1";
  for (int i = 0; i < 1000; ++i) deep += "+1";
  EXPECT_EQ(said(deep).error().kind, ErrorKind::kLimit);
  // Ten to the ninth.
  const std::string list = "[1,2,3,4,5,6,7,8,9,10]";
  std::string text = "true";
  for (char name = 'a'; name < 'j'; ++name) text = list + ".all(" + std::string(1, name) + ", " + text + ")";
  const Evaluated steps = said(text);
  ASSERT_FALSE(steps.has_value());
  EXPECT_EQ(steps.error().kind, ErrorKind::kLimit);
  std::string doubled = "'0123456789012345678901234567890123456789'";
  for (int i = 0; i < 40; ++i) doubled = "[" + doubled + "].map(x, x + x)[0]";
  const Evaluated bytes = said(doubled);
  ASSERT_FALSE(bytes.has_value());
  EXPECT_EQ(bytes.error().kind, ErrorKind::kLimit);
}

TEST(Cel, TellsWhatItReads) {
  const auto expression = Expression::parse(
      "args.amount > 1 && has(args.order.id) && args['to'] == tool && args.tags.all(args, args.x == 1) && "
      "calls('refund').size() + calls('mail').size() > 0",
      {"calls"});
  ASSERT_TRUE(expression.has_value()) << expression.error().text();
  EXPECT_THAT(expression->names(), ElementsAre("args", "tool"));
  EXPECT_THAT(expression->fields_of("args"), ElementsAre("amount", "order", "tags", "to"));
  EXPECT_THAT(*expression->literals_of("calls"), ElementsAre("mail", "refund"));
  EXPECT_FALSE(Expression::parse("calls(tool).size() > 0", {"calls"})->literals_of("calls").has_value());
  EXPECT_THAT(Expression::parse("calls('a')").error().text(), HasSubstr("there is no function `calls`"));
}

}  // namespace
}  // namespace holdfast::spec::cel
