// Goal: code that takes too much is stopped with a failure of its kind, and the process lives. What no look
// at a clock stops, loops inside the engine, the program's timer does (tests/attack/sandbox).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "script/testing.h"

namespace holdfast::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Limits, Time) {
  EXPECT_EQ(script("for (;;) {}"), "time_limit 1:1 it ran longer than 50 ms");
  EXPECT_THAT(script("try { for (;;) {} } catch (e) { return 'caught' } finally { for (;;) {} }"),
              StartsWith("time_limit"));
  EXPECT_THAT(script("const spin = async () => { for (;;) await 1 }; await spin()"),
              StartsWith("time_limit"));
  EXPECT_THAT(expression("/^(a+)+$/.test('a'.repeat(40) + 'b')"), StartsWith("time_limit"))
      << "catastrophic regex";
  EXPECT_THAT(script("return {toJSON() { for (;;) {} }}"), StartsWith("time_limit"));
}

// Of the processor: the clock is given, so it is known when it is over.
TEST(Limits, TimeIsThatOfTheClockWhichIsGiven) {
  std::int64_t now = 0;
  Isolate isolate([&now] { return now += 10'000'000; });
  const Reply reply = evaluate(isolate, {.kind = Kind::kScript, .code = "for (;;) {}"});
  EXPECT_EQ(told(reply).substr(0, 10), "time_limit");
  EXPECT_EQ(now, 60'000'000) << "one look when it began, five until 50 ms were over";
}

TEST(Limits, Memory) {
  EXPECT_THAT(script("const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)"),
              StartsWith("memory_limit"));
  EXPECT_THAT(script("return 'x'.repeat(1e9).length"), StartsWith("memory_limit"));
  EXPECT_THAT(script("return new ArrayBuffer(10 * 1024 ** 3).byteLength"), ::testing::Not("10737418240"));
  EXPECT_THAT(script("return new Uint8Array(1e9).length"), StartsWith("memory_limit"));
  EXPECT_THAT(script("let s = 'x'; for (;;) s += s"), ::testing::Not(StartsWith("\"")));
  EXPECT_THAT(expression("2n ** 1000000000n"), ::testing::Not(StartsWith("1")));
  EXPECT_EQ(script("try { new Uint8Array(1e9) } catch { } return 'went on'"), R"("went on")");
}

TEST(Limits, MoreMemoryWhereAsked) {
  Request request{.kind = Kind::kScript, .code = "return new Uint8Array(40e6).length"};
  EXPECT_THAT(told(run(request)), StartsWith("memory_limit"));
  request.limits.memory_bytes = 64U << 20;
  EXPECT_EQ(told(run(request)), "40000000");
}

TEST(Limits, Stack) {
  EXPECT_THAT(script("const f = () => f() + 1; return f()"), StartsWith("stack_limit 1:"));
  EXPECT_THAT(expression(std::string(100'000, '[')), ::testing::Not(StartsWith("[")));
  EXPECT_THAT(script("let a = []; for (let i = 0; i < 50000; i++) a = [a]; return a"),
              HasSubstr("nests deeper"));
  EXPECT_THAT(script("let a = []; for (let i = 0; i < 50000; i++) a = [a]; return JSON.stringify(a)"),
              StartsWith("stack_limit"));
}

TEST(Limits, Output) {
  EXPECT_THAT(script("return new Array(200000).fill('xxxxxxxxxx')"), StartsWith("output_limit"));
  EXPECT_THAT(script("let a = ['x']; for (let i = 0; i < 60; i++) a = [a, a]; return a"),
              StartsWith("output_limit"))
      << "2^60 values in little memory";
  EXPECT_THAT(script("return new Array(4294967295)"), StartsWith("output_limit"));
}

}  // namespace
}  // namespace holdfast::sandbox
