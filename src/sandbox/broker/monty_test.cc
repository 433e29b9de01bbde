// Goal: code in Monty runs to its result or to a failure that says what and where, at every level that this
// machine has, and no run sees another. Method: the real program, of the tests' Python environment.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "broker/broker.h"
#include "os/clock.h"

namespace holdfast::sandbox {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Request monty(std::string code, std::string inputs = "{}") {
  Request request;
  request.kind = Kind::kMonty;
  request.limits = kPythonLimits;
  request.code = std::move(code);
  request.inputs = std::move(inputs);
  return request;
}

std::string told(const Result<Reply>& reply) {
  if (!reply) return reply.error().to_string();
  if (!reply->failure) return reply->result;
  const Failure& failure = *reply->failure;
  std::string out(fault_name(failure.fault));
  if (failure.line > 0) out += " " + std::to_string(failure.line) + ":" + std::to_string(failure.column);
  if (!failure.name.empty()) out += " " + failure.name;
  return out + " " + failure.message;
}

class MontyTest : public ::testing::TestWithParam<int> {
 protected:
  // At level 2 it is started as nobody, who may not enter the folder of the build.
  static void SetUpTestSuite() {
    folder() = fs::temp_directory_path() / ("holdfast-monty-" + std::to_string(::getpid()));
    fs::create_directories(folder());
    std::error_code error;
    fs::copy_file(HOLDFAST_TEST_MONTY, folder() / "monty", error);
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path& folder() {
    static fs::path path;
    return path;
  }

  void SetUp() override {
    ASSERT_TRUE(fs::exists(folder() / "monty"))
        << HOLDFAST_TEST_MONTY << " is not there: tools/venv.sh makes it (./dev test does that first)";
    auto broker = start();
    if (!broker) GTEST_SKIP() << broker.error().message();
    broker_ = std::move(*broker);
  }
  Result<std::unique_ptr<Broker>> start(std::string program = (folder() / "monty").string()) {
    return Broker::start({.level = GetParam(), .monty = std::move(program)}, memory_, clock_);
  }
  std::string run(std::string code, std::string inputs = "{}") {
    return told(broker_->run("a", monty(std::move(code), std::move(inputs))));
  }

  MemoryBudget memory_{"sandbox", 512U << 20};
  os::SystemClock clock_;
  std::unique_ptr<Broker> broker_;
};

INSTANTIATE_TEST_SUITE_P(Levels, MontyTest, ::testing::Values(1, 2));

TEST_P(MontyTest, ReturnsItsResult) {
  EXPECT_EQ(run("return 6 * 7"), "42");
  EXPECT_EQ(run("rows = blocks['find']['rows']\nreturn {'n': len(rows), 'first': rows[0]}",
                R"({"blocks":{"find":{"rows":[{"ä":"ü"},null]}}})"),
            R"({"n":2,"first":{"ä":"ü"}})");
  EXPECT_EQ(run(""), "null");
  EXPECT_EQ(run("6 * 7"), "null") << "what it returns is the result, as in Python";
  EXPECT_EQ(run("def twice(n):\n  return n * 2\nif input:\n  return [twice(n) for n in input]",
                R"({"input":[1,2]})"),
            "[2,4]");
  EXPECT_EQ(run("text = '''a\n  b'''\nreturn text"), R"("a\n  b")");
  EXPECT_EQ(run("import json, re, math\nreturn [json.loads('[1]'), re.sub('a', 'b', 'aa'), math.floor(1.5)]"),
            R"([[1],"bb",1])");
  EXPECT_EQ(run("async def f():\n  return 5\nreturn await f()"), "5");
}

TEST_P(MontyTest, NumbersStayAsTheyAre) {
  EXPECT_EQ(
      run("return [id + 1, -id, 2 ** 200, 1.5, -0.0, 1e300]", R"({"id":9007199254740993})"),
      "[9007199254740994,-9007199254740993,1606938044258990275541962092341162602522202993782792835301376,1.5,"
      "-0.0,1e+300]");
  EXPECT_EQ(run("return [a, b, a * b]", R"({"a":18446744073709551616,"b":-18446744073709551617})"),
            "[18446744073709551616,-18446744073709551617,-340282366920938463481821351505477763072]");
  EXPECT_EQ(run("return 10 ** 400"),
            "no_json_result the result is an integer of more than 299 digits; return str(it)");
  Request request = monty("return [type(a).__name__, a]", R"({"a":1.10})");
  EXPECT_EQ(told(broker_->run("a", request)), R"(["float",1.1])");
  request.decimals_as_text = true;
  EXPECT_EQ(told(broker_->run("a", request)), R"(["str","1.10"])");
}

TEST_P(MontyTest, AFailureHasItsPlace) {
  EXPECT_THAT(run("a = 1\nreturn (a +"), StartsWith("syntax_error"));
  EXPECT_THAT(run("return " + std::string(10'000, '[')), StartsWith("syntax_error SyntaxError"));
  EXPECT_EQ(run("a = 1\nif a:\n  b = 'ü'; c = 'ü'.nothing"),
            "exception 3:17 AttributeError 'str' object has no attribute 'nothing'");
  EXPECT_EQ(run("def f(x):\n  return 1 / x\nreturn f(0)"),
            "exception 2:10 ZeroDivisionError division by zero");
  EXPECT_EQ(run("return nobody"), "exception 1:8 NameError name 'nobody' is not defined");
  EXPECT_EQ(run("return nobody(1)"), "exception 1:8 NameError name 'nobody' is not defined");
  EXPECT_THAT(run("def f(): return f()\nreturn f()"), StartsWith("stack_limit 1:17 RecursionError"));
  EXPECT_EQ(run("raise ValueError('x')"), "exception 1:7 ValueError x");
}

TEST_P(MontyTest, WhatItDoesNotHaveIsToldAtTheLine) {
  EXPECT_EQ(
      run("a = 1\nyield a"),
      "syntax_error 2:1 NotImplementedError The monty syntax parser does not yet support yield expressions; "
      "`language: python` has it");
  EXPECT_THAT(run("a = 1\ndel a"), StartsWith("syntax_error 2:1 NotImplementedError"));
  EXPECT_EQ(
      run("\nimport statistics"),
      "exception 2:1 ModuleNotFoundError No module named 'statistics'; Monty has a part of Python's library, "
      "`language: python` all of it");
  EXPECT_THAT(run("import time\ntime.sleep(5)"),
              StartsWith("exception 2:1 RuntimeError code does not sleep here"));
}

TEST_P(MontyTest, WhatJsonDoesNotHaveIsTold) {
  EXPECT_EQ(run("return {'a': [1, {'b': float('nan')}]}"),
            "no_json_result the result's a[1].b is NaN, which JSON does not have");
  EXPECT_EQ(run("return {1, 2}"),
            "no_json_result the result is of type set, which JSON does not have: return list(it)");
  EXPECT_THAT(run("return {'a': {1: 2}}"), StartsWith("no_json_result the result's a has a key"));
  EXPECT_EQ(run("a = []\na.append(a)\nreturn a"),
            "no_json_result the result nests deeper than 100 levels, or holds itself");
  EXPECT_THAT(run("return lambda: 1"), StartsWith("no_json_result"));
  EXPECT_THAT(run("from decimal import Decimal\nreturn Decimal('1.5')"), HasSubstr("return str(it)"));
}

TEST_P(MontyTest, InputsAreNames) {
  EXPECT_THAT(run("return 1", R"({"class":1})"), StartsWith("invalid_input an input is called 'class'"));
  EXPECT_THAT(run("return 1", "[1]"), StartsWith("invalid_input"));
  EXPECT_EQ(run("input = input or 3\nreturn input", R"({"input":null})"), "3");
}

TEST_P(MontyTest, KeepsWhatIsWritten) {
  Request request =
      monty("import sys\nprint('one', 2)\nprint('three', file=sys.stderr)\nraise ValueError('x')");
  auto reply = broker_->run("a", request);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->log, "one 2\nthree\n");
  EXPECT_TRUE(reply->failure);
  request = monty("for i in range(100): print('x' * 99)");
  request.limits.log_bytes = 1000;
  reply = broker_->run("a", request);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->log.size(), 1000U);
  EXPECT_EQ(reply->log_left_out, 90U);
}

TEST_P(MontyTest, StaysWithinItsLimits) {
  Request request = monty("while True: pass");
  request.limits.time_ms = 50;
  EXPECT_THAT(told(broker_->run("a", request)), StartsWith("time_limit it ran longer than 50 ms"));
  request.code = "while True:\n  try:\n    while True: pass\n  except BaseException: pass";
  EXPECT_THAT(told(broker_->run("a", request)), StartsWith("time_limit"));
  EXPECT_THAT(run("return 9 ** 9 ** 9"), StartsWith("memory_limit"));
  EXPECT_THAT(run("x = []\nwhile True: x.append('y' * 100000)"),
              StartsWith("memory_limit MemoryError it needs more than 67108864 bytes of memory"));
  request = monty("return 'x' * 100");
  request.limits.output_bytes = 50;
  EXPECT_EQ(told(broker_->run("a", request)), "output_limit its result is longer than 50 bytes");
  EXPECT_EQ(run("return 1"), "1");
  EXPECT_EQ(memory_.used(), 0U);
}

TEST_P(MontyTest, NoRunSeesAnother) {
  EXPECT_EQ(run("import json\nglobal left\nleft = 1\nreturn left"), "1");
  EXPECT_EQ(run("try:\n  return left\nexcept NameError:\n  return 'gone'"), R"("gone")");
  EXPECT_EQ(run("return input", R"({"input":7})"), "7");
  EXPECT_THAT(run("return input"), Not(HasSubstr("7")));
}

TEST_P(MontyTest, AsManyAsCome) {
  Request script;
  script.code = "n + 1";
  script.inputs = R"({"n":1})";
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string tenant = "tenant" + std::to_string(t);
        right += told(broker_->run(tenant, t % 2 == 0 ? script : monty("return 1 + 1"))) == "2" ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 120);
}

TEST_P(MontyTest, AMachineWithoutItSaysWhatToDo) {
  for (const char* program : {"", "/nowhere/monty"}) {
    auto broker = start(program);
    ASSERT_TRUE(broker);
    const auto reply = (*broker)->run("a", monty("return 1"));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), Code::kFailedPrecondition);
    EXPECT_THAT(reply.error().message(), HasSubstr("--monty"));
  }
}

// What is named may be any program.
TEST_P(MontyTest, AProgramThatIsNoMontyIsAFailure) {
  auto broker = start("/bin/true");
  ASSERT_TRUE(broker);
  EXPECT_THAT(told((*broker)->run("a", monty("return 1"))), StartsWith("sandbox_died"));
}

}  // namespace
}  // namespace holdfast::sandbox
