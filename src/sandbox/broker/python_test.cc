// Goal: code in Python runs to its result or to a failure that says what and where, at every level that this
// machine has, and no run sees another. Method: the real interpreter; skipped where there is none.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "broker/broker.h"
#include "os/clock.h"

namespace holdfast::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Request python(std::string code, std::string inputs = "{}") {
  Request request;
  request.kind = Kind::kPython;
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

class PythonTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (auto found = find_python(); !found) GTEST_SKIP() << found.error().message();
    auto broker = Broker::start({.level = GetParam()}, memory_, clock_);
    if (!broker) GTEST_SKIP() << broker.error().message();
    broker_ = std::move(*broker);
  }
  std::string run(std::string code, std::string inputs = "{}") {
    return told(broker_->run("a", python(std::move(code), std::move(inputs))));
  }

  MemoryBudget memory_{"sandbox", 512U << 20};
  os::SystemClock clock_;
  std::unique_ptr<Broker> broker_;
};

INSTANTIATE_TEST_SUITE_P(Levels, PythonTest, ::testing::Values(1, 2));

TEST_P(PythonTest, ReturnsItsResult) {
  EXPECT_EQ(run("return 6 * 7"), "42");
  EXPECT_EQ(run("rows = blocks['find']['rows']\nreturn {'n': len(rows), 'first': rows[0]}",
                R"({"blocks":{"find":{"rows":[{"ä":"ü"},null]}}})"),
            R"({"n":2,"first":{"ä":"ü"}})");
  EXPECT_EQ(run(""), "null");
  EXPECT_EQ(
      run("from decimal import Decimal\nimport datetime, sqlite3\nreturn [str(Decimal('0.1') * 3), "
          "str(datetime.date(2026, 1, 31)), sqlite3.connect(':memory:').execute('select 7').fetchone()]"),
      R"(["0.3","2026-01-31",[7]])");
  EXPECT_EQ(
      run("import asyncio\nasync def f():\n  await asyncio.sleep(0)\n  return 5\nreturn asyncio.run(f())"),
      "5");
}

TEST_P(PythonTest, NumbersStayAsTheyAre) {
  EXPECT_EQ(
      run("return [id + 1, 2 ** 200, 1.5, -0.0, 1e300]", R"({"id":9007199254740993})"),
      "[9007199254740994,1606938044258990275541962092341162602522202993782792835301376,1.5,-0.0,1e+300]");
  EXPECT_EQ(run("return 10 ** 400"),
            "no_json_result the result is an integer of more than 299 digits; return str(it)");
  Request request = python("return [type(a).__name__, a]", R"({"a":1.10})");
  EXPECT_EQ(told(broker_->run("a", request)), R"(["float",1.1])");
  request.decimals_as_text = true;
  EXPECT_EQ(told(broker_->run("a", request)), R"(["str","1.10"])");
}

TEST_P(PythonTest, AFailureHasItsPlace) {
  EXPECT_THAT(run("a = 1\nreturn a +"), StartsWith("syntax_error 2:11 SyntaxError invalid syntax"));
  EXPECT_EQ(run("a = 1\nif a:\n  return 'ü'.nothing"),
            "exception 3:10 AttributeError 'str' object has no attribute 'nothing'");
  EXPECT_EQ(run("def f(x):\n  return 1 / x\nreturn f(0)"),
            "exception 2:10 ZeroDivisionError division by zero");
  EXPECT_THAT(run("import json\nreturn json.loads('{')"),
              StartsWith("exception 2:8 JSONDecodeError Expecting"));
  EXPECT_EQ(run("import sys\nsys.exit('bye')"),
            "exception 2:1 SystemExit it called exit(bye); return the result instead");
  EXPECT_THAT(run("def f(): return f()\nreturn f()"), StartsWith("stack_limit 1:17 RecursionError"));
  EXPECT_THAT(run("import nowhere"), StartsWith("exception 1:1 ModuleNotFoundError"));
}

TEST_P(PythonTest, WhatJsonDoesNotHaveIsTold) {
  EXPECT_EQ(run("return {'a': [1, {'b': float('nan')}]}"),
            "no_json_result the result's a[1].b is NaN, which JSON does not have");
  EXPECT_EQ(run("return {1, 2}"),
            "no_json_result the result is of type set, which JSON does not have: return list(it)");
  EXPECT_THAT(run("return {'a': {1: 2}}"), StartsWith("no_json_result the result's a has a key of type int"));
  EXPECT_EQ(run("a = []\na.append(a)\nreturn a"),
            "no_json_result the result nests deeper than 100 levels, or holds itself");
  EXPECT_THAT(run("yield 1"), HasSubstr("of type generator"));
  EXPECT_EQ(run("return {'a': ['x', '\\ud83d']}"),
            "no_json_result the result's a[1] holds half a surrogate pair, which no text of JSON has");
  EXPECT_EQ(run("return {'b': {'\\ud800': 1, '\\ufffd': 2}}"),
            "no_json_result the result's b has a key with half a surrogate pair, which no text of JSON has");
  EXPECT_THAT(run("return '\\ud83d\\ude00'"), HasSubstr("half a surrogate pair")) << "two halves, in Python";
}

TEST_P(PythonTest, InputsAreNames) {
  EXPECT_THAT(run("return 1", R"({"class":1})"), StartsWith("invalid_input an input is called 'class'"));
  EXPECT_THAT(run("return 1", "[1]"), StartsWith("invalid_input"));
  EXPECT_THAT(run("return 1", R"({"a":)"), StartsWith("invalid_input"));
  EXPECT_EQ(run("input = input or 3\nreturn input", R"({"input":null})"), "3");
}

TEST_P(PythonTest, KeepsWhatIsWritten) {
  Request request =
      python("import sys\nprint('one', 2)\nprint('three', file=sys.stderr)\nraise ValueError('x')");
  auto reply = broker_->run("a", request);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->log, "one 2\nthree\n");
  EXPECT_TRUE(reply->failure);
  request = python("for i in range(100): print('x' * 99)");
  request.limits.log_bytes = 1000;
  reply = broker_->run("a", request);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->log.size(), 1000U);
  EXPECT_EQ(reply->log_left_out, 90U);
}

TEST_P(PythonTest, StaysWithinItsLimits) {
  Request request = python("while True: pass");
  request.limits.time_ms = 50;
  EXPECT_THAT(told(broker_->run("a", request)), StartsWith("time_limit 1:"));
  request.code = "while True:\n  try:\n    while True: pass\n  except BaseException: pass";
  EXPECT_THAT(told(broker_->run("a", request)), StartsWith("time_limit"));
  request.code = "return 9 ** 9 ** 9";
  EXPECT_THAT(told(broker_->run("a", request)), HasSubstr("it ran longer than 50 ms"));
  EXPECT_EQ(run("return len(bytes(10 ** 9))"),
            "memory_limit 1:12 MemoryError it needs more than 67108864 bytes of memory");
  request = python("return 'x' * 100");
  request.limits.output_bytes = 50;
  EXPECT_EQ(told(broker_->run("a", request)), "output_limit its result is longer than 50 bytes");
  EXPECT_EQ(run("import os\nos._exit(3)"),
            "sandbox_died the process that ran it ended by itself, with code 3");
  EXPECT_EQ(run("import ctypes\nctypes.string_at(0)"),
            "sandbox_died the process that ran it accessed memory that it does not have");
  EXPECT_EQ(run("return 1"), "1");
  EXPECT_EQ(memory_.used(), 0U);
}

TEST_P(PythonTest, NoRunSeesAnother) {
  EXPECT_EQ(run("import builtins, json\nbuiltins.left = json.left = 1\nreturn 1"), "1");
  EXPECT_EQ(run("import builtins, json\nreturn [hasattr(builtins, 'left'), hasattr(json, 'left')]"),
            "[false,false]");
  if (GetParam() == 2) return;  // it has no /tmp there
  EXPECT_EQ(run("open('/tmp/left', 'w').write('x')\nimport os\nreturn os.listdir('/tmp')"), R"(["left"])");
  EXPECT_EQ(run("import os\nreturn os.listdir('/tmp')"), "[]");
}

TEST_P(PythonTest, JavaScriptGoesOnBesideIt) {
  Request script;
  script.code = "n + 1";
  script.inputs = R"({"n":1})";
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string tenant = "tenant" + std::to_string(t);
        right += told(broker_->run(tenant, t % 2 == 0 ? script : python("return 1 + 1"))) == "2" ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 120);
}

TEST_P(PythonTest, ImportsFromTheFolderOfTheOperator) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("holdfast-packages-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "ours.py") << "def twice(n):\n  return n * 2\n";
  auto broker = Broker::start({.level = GetParam(), .python_packages = folder.string()}, memory_, clock_);
  ASSERT_TRUE(broker);
  EXPECT_EQ(told((*broker)->run("a", python("import ours\nreturn ours.twice(21)"))), "42");
  EXPECT_THAT(told((*broker)->run("a", python("import ours\nopen(ours.__file__, 'w')"))),
              StartsWith("exception 2:1"));
  EXPECT_THAT(run("import ours"), HasSubstr("ModuleNotFoundError"));
  std::filesystem::remove_all(folder);
}

TEST_P(PythonTest, AMachineWithoutPythonSaysWhatToInstall) {
  auto broker = Broker::start({.level = GetParam(), .python = "/nowhere/python3"}, memory_, clock_);
  ASSERT_TRUE(broker);
  const auto reply = (*broker)->run("a", python("return 1"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(reply.error().message(), HasSubstr("apt install python3"));
}

}  // namespace
}  // namespace holdfast::sandbox
