// Goal: what flows write as JavaScript gives exact results, and errors that say where. Method: requests on an
// isolate in this process; the limits are in limits_test.cc, the jail around it in broker and tests/attack.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "script/testing.h"

namespace holdfast::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kRows = R"({"blocks":{"query":{"rows":[{"id":7,"name":"Ann"}]}}})";

TEST(Expression, ReadsTheBlocksResults) {
  EXPECT_EQ(expression("blocks.query.rows[0].id", kRows), "7");
  EXPECT_EQ(expression("blocks.query.rows.map(r => r.name)", kRows), R"(["Ann"])");
  EXPECT_EQ(expression("{a: 1, b: [true, null, 'x']}"), R"({"a":1,"b":[true,null,"x"]})");
  EXPECT_EQ(expression("undefined"), "null");
  EXPECT_EQ(expression("blocks.nothing?.id ?? 'none'", kRows), R"("none")");
}

TEST(Expression, IntegersBeyondNumbersAreExact) {
  const std::string inputs = R"({"n":9007199254740993,"m":-9223372036854775808,"u":18446744073709551615,
                                 "big":123456789012345678901234567890,"s":9007199254740991})";
  EXPECT_EQ(expression("[n, m, u, big, s]", inputs),
            "[9007199254740993,-9223372036854775808,18446744073709551615,123456789012345678901234567890,"
            "9007199254740991]");
  EXPECT_EQ(expression("n + 1n", inputs), "9007199254740994");
  EXPECT_EQ(expression("typeof s + typeof n", inputs), R"("numberbigint")");
  EXPECT_THAT(expression("n + 1", inputs), StartsWith("exception 1:"));
  EXPECT_THAT(expression("n + 1", inputs), HasSubstr("BigInt"));
  EXPECT_THAT(expression("n", R"({"n":)" + std::string(5000, '9') + "}"), HasSubstr("larger than 1.8e308"));
}

TEST(Expression, DecimalsAreTextWhereAsked) {
  Request request{.code = "[price, count, typeof price]", .inputs = R"({"price":1.10,"count":3})"};
  EXPECT_EQ(told(run(request)), R"([1.1,3,"number"])");
  request.decimals_as_text = true;
  EXPECT_EQ(told(run(request)), R"(["1.10",3,"string"])");
}

TEST(Expression, ErrorsSayWhere) {
  EXPECT_THAT(expression("1 +\n  nope.x"), StartsWith("exception 2:3 nope is not defined"));
  EXPECT_THAT(expression("blocks.a.b", kRows),
              StartsWith("exception 1:1 cannot read property 'b' of undefined"));
  EXPECT_THAT(expression("1 + + ,"), StartsWith("syntax_error 1:7"));
  EXPECT_THAT(expression("[1, 2"), StartsWith("syntax_error 1:6"));
  EXPECT_THAT(expression(""), StartsWith("syntax_error"));
  EXPECT_THAT(script("const a = 1;\nreturn a.b.c;"), StartsWith("exception 2:8 cannot read property 'c'"));
  EXPECT_THAT(script("throw new RangeError('too far')"), StartsWith("exception 1:11 too far"));
  EXPECT_THAT(script("return (() => { throw 'just text' })()"), StartsWith("exception 0:0 just text"));
}

TEST(Expression, IsExactlyOne) {
  EXPECT_THAT(expression("1; 2"), StartsWith("syntax_error"));
  EXPECT_THAT(expression("1) + (2"), StartsWith("syntax_error"));
  EXPECT_THAT(expression("1], [2"), StartsWith("syntax_error"));
  EXPECT_THAT(expression("const a = 1"), StartsWith("syntax_error"));
  EXPECT_EQ(expression("1 // and a comment"), "1");
  EXPECT_EQ(expression("'a)' + `]}` + /[)]/.source"), R"("a)]}[)]")");
}

TEST(Expression, ResultsThatJsonLacksAreErrorsWithAPlace) {
  EXPECT_EQ(expression("{a: {b: [1, 0 / 0]}}"),
            "no_json_result 0:0 the result's a.b[1] is NaN, which JSON does not have");
  EXPECT_THAT(expression("1 / 0"), HasSubstr("division by zero"));
  EXPECT_THAT(expression("1n / 0n"), StartsWith("exception"));
  EXPECT_THAT(expression("x => x"), HasSubstr("is a function"));
  EXPECT_THAT(expression("new Map([[1, 2]])"), HasSubstr("is a Map: return Object.fromEntries(it)"));
  EXPECT_THAT(expression("Symbol('x')"), HasSubstr("is a symbol"));
  EXPECT_THAT(script("const a = []; a.push(a); return a"), HasSubstr("holds itself"));
  EXPECT_EQ(expression("{a: undefined, b: [undefined]}"), R"({"b":[null]})");
  EXPECT_EQ(expression("new Date(0)"), R"("1970-01-01T00:00:00.000Z")");
  EXPECT_EQ(expression(R"('\u0000\n"\\\u00e4\u20ac\ud83d\ude00')"),
            "\"\\u0000\\n\\\"\\\\\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"");
  EXPECT_EQ(expression(R"({a: ['x', '\ud83d'.concat('x')]})"),
            "no_json_result 0:0 the result's a[1] holds half a surrogate pair, which no text of JSON has");
  EXPECT_THAT(
      expression(R"({b: {'\ud800': 1, '\ufffd': 2}})"),
      StartsWith("no_json_result 0:0 the result's b has a member whose name holds half a surrogate pair"));
  EXPECT_THAT(expression(R"('\udc00')"), StartsWith("no_json_result 0:0 the result holds half"));
}

TEST(Script, IsTheBodyOfAFunction) {
  EXPECT_EQ(script("return blocks.query.rows.length", kRows), "1");
  EXPECT_EQ(script("let n = 0; for (let i = 0; i < 10; i++) n += i; return n"), "45");
  EXPECT_EQ(script("const x = await Promise.all([1, Promise.resolve(2)]); return x"), "[1,2]");
  EXPECT_EQ(script("1"), "null");
  EXPECT_THAT(script("await new Promise(() => {})"), StartsWith("never_settles"));
  EXPECT_THAT(script("forgotten = 1"), StartsWith("exception 1:"));
  EXPECT_THAT(script("import('fs')"), ::testing::Not(StartsWith("{")));
  EXPECT_THAT(script("return await import('fs')"), StartsWith("exception"));
  EXPECT_THAT(script("}); ({})(("), StartsWith("syntax_error")) << "it does not leave its function";
}

TEST(Script, LogsAreKept) {
  Request request{.kind = Kind::kScript,
                  .code = "console.log('a', 1, {b: 2n > 1}); console.error([null]); return 1"};
  EXPECT_EQ(run(request).log, "a 1 {\"b\":true}\n[null]\n");
  request.code = "for (let i = 0; i < 100; i++) console.log('x'.repeat(100)); return 1";
  request.limits.log_bytes = 1010;
  const Reply reply = run(request);
  EXPECT_EQ(reply.log.size(), 1010U);
  EXPECT_EQ(reply.log_left_out, 90U);
}

// `await` forgotten is no success.
TEST(Script, ARejectionThatNobodyHandlesIsAFailure) {
  EXPECT_THAT(script("Promise.reject(new Error('bg')); return 1"), ::testing::HasSubstr("bg"));
  EXPECT_THAT(script("Promise.resolve().then(() => { throw new Error('late') }); return 1"),
              ::testing::HasSubstr("late"));
  EXPECT_THAT(script("const f = async () => { null.x }; f(); return 1"), StartsWith("exception"));
  EXPECT_EQ(script("const p = Promise.reject(1); try { await p } catch (e) { return e + 1 }"), "2");
  EXPECT_EQ(script("const p = Promise.reject(1); await null; return p.catch(e => e)"), "1");
  EXPECT_EQ(script("return (await Promise.allSettled([Promise.reject(1), 2])).length"), "2");
  EXPECT_EQ(script("try { await Promise.all([Promise.reject(1), Promise.reject(2)]) } catch { return 3 }"),
            "3");
  EXPECT_EQ(script("return await Promise.race([Promise.resolve(1), Promise.reject(2)])"), "1");
}

TEST(Script, ALineOfTheLogEndsNothing) {
  EXPECT_EQ(run({.kind = Kind::kScript,
                 .code = "console.log(input, [2n ** 70n], {n: NaN}); return 1",
                 .inputs = R"({"input": {"id": 9007199254740993}})"})
                .log,
            "{\"id\":9007199254740993} [1180591620717411303424] {\"n\":null}\n");
  const Reply reply =
      run({.kind = Kind::kScript,
           .code = "const a = {big: 2n}; a.a = a; console.log(a, new Map([[1, a]])); return 1"});
  EXPECT_EQ(told(reply), "1");
  EXPECT_THAT(reply.log, ::testing::HasSubstr("holds itself"));
}

TEST(Script, WhatJsonDoesNotHaveIsNoEmptyObject) {
  EXPECT_EQ(expression("[new Number(3), Object(1n), new Boolean(false), new String('x')]"),
            "[3,1,false,\"x\"]");
  EXPECT_EQ(expression("new Proxy([1, new Proxy([2], {})], {})"), "[1,[2]]");
  EXPECT_EQ(expression("new Proxy({a: 1}, {})"), "{\"a\":1}");
  EXPECT_EQ(script("class A { constructor() { this.b = 1 } } return new A()"), "{\"b\":1}");
  EXPECT_EQ(script("return (function () { return arguments })(1, 2)"), "{\"0\":1,\"1\":2}");
  EXPECT_EQ(expression("new Uint8Array([1, 2])"), "{\"0\":1,\"1\":2}");
  EXPECT_EQ(expression("Object.create(null)"), "{}");
  for (const char* code : {"new Error('x')", "/x/", "new WeakMap()", "new ArrayBuffer(5)",
                           "(function* () {})()", "[1].values()", "Object(Symbol())"}) {
    EXPECT_THAT(expression(std::string("({a: [") + code + "]})"),
                ::testing::AllOf(::testing::HasSubstr("the result's a[0] is of the kind"),
                                 ::testing::HasSubstr("which JSON does not have")))
        << code;
  }
}

TEST(Nothing, TellsOneRunFromAnother) {
  EXPECT_THAT(expression("Date.now()"), StartsWith("no_clock 1:"));
  EXPECT_THAT(expression("new Date()"), StartsWith("no_clock 1:"));
  EXPECT_THAT(expression("Date()"), StartsWith("no_clock 1:"));
  EXPECT_THAT(expression("new (new Date(0)).constructor()"), StartsWith("no_clock"));
  EXPECT_THAT(expression("Reflect.construct(Date, [])"), StartsWith("no_clock"));
  EXPECT_THAT(expression("new (class extends Date {})()"), StartsWith("no_clock"));
  EXPECT_THAT(expression("Math.random()"), StartsWith("no_randomness 1:"));
  EXPECT_EQ(
      expression("typeof performance + typeof WeakRef + typeof require + typeof process + typeof fetch"),
      R"("undefinedundefinedundefinedundefinedundefined")");
  EXPECT_EQ(expression(
                "[new Date('2024-02-29T12:00:00Z').getTime(), Date.UTC(2024, 0), new Date(5) instanceof Date,"
                " Date.parse('2024-01-01'), new Date(2024, 0).getTimezoneOffset()]"),
            "[1709208000000,1704067200000,true,1704067200000,0]");
}

TEST(Inputs, AreAnObjectOfNamesOfTheirOwn) {
  EXPECT_THAT(expression("1", "[1]"), StartsWith("invalid_input"));
  EXPECT_THAT(expression("1", "{"), StartsWith("invalid_input"));
  EXPECT_THAT(expression("1", R"({"Math":1})"), HasSubstr("'Math', which is a name of the language"));
  EXPECT_THAT(expression("1", R"({"a":)" + std::string(200, '[') + std::string(200, ']') + "}"),
              HasSubstr("nests deeper"));
  EXPECT_EQ(expression("[Object.keys(a), a.x, ({}).x]", R"({"a":{"__proto__":{"x":1}}})"),
            R"([["__proto__"],null,null])")
      << "a name like any other";
}

TEST(Isolates, ShareNothing) {
  EXPECT_EQ(
      script("Object.prototype.polluted = 1; Array.prototype.map = null; globalThis.left = 1; return 1"),
      "1");
  EXPECT_EQ(expression("[typeof left, ({}).polluted, typeof [].map]"), R"(["undefined",null,"function"])");
}

}  // namespace
}  // namespace holdfast::sandbox
