// Code against Monty: to hold it up, to fill it, to reach what is outside, to find what another run left.
// What a program in its place could do is that of escape.cc, whose filter is the narrower one.

#include "scripts.h"

namespace holdfast::sandbox {

namespace {

Script monty(std::string name, std::string code, std::vector<std::string> ends, std::string inputs = "{}") {
  Request request;
  request.kind = Kind::kMonty;
  request.limits = kPythonLimits;
  request.limits.time_ms = 250;
  request.code = std::move(code);
  request.inputs = std::move(inputs);
  return {"Monty: " + std::move(name), std::move(request), std::move(ends)};
}

constexpr const char* kNoResult = "no_json_result";

std::vector<Script> reach() {
  return {
      monty("file", "open('/etc/passwd')", {kThrown}),
      monty("file by pathlib", "from pathlib import Path\nreturn Path('/proc/self/mem').read_bytes()",
            {kThrown}),
      monty("list of files", "import os\nreturn os.listdir('/')", {kThrown}),
      monty("write a file", "from pathlib import Path\nPath('/tmp/left').write_text('x')", {kThrown}),
      monty("name that goes up", "open('../../../../etc/shadow')", {kThrown}),
      monty("environment", "import os\nreturn dict(os.environ)", {kThrown}),
      monty("variable", "import os\nreturn os.getenv('HOME')", {kThrown}),
      monty("command", "import os\nos.system('id')", {kThrown}),
      monty("process", "import subprocess", {kThrown}),
      monty("socket", "import socket", {kThrown}),
      monty("calls of C", "import ctypes", {kThrown}),
      monty("signals", "import signal", {kThrown}),
      monty("threads", "import threading", {kThrown}),
      monty("module that is no module", "import __main__.x", {kThrown, kSyntax}),
      monty("import by its function", "return __import__('os').environ", {kThrown}),
      monty("function of nobody", "return launch('id')", {kThrown}),
      monty("classes of all objects", "return ().__class__.__bases__[0].__subclasses__()",
            {kThrown, kNoResult}),
      monty("frames", "import sys\nreturn sys._getframe().f_back", {kThrown}),
      monty("globals of a function", "def f(): pass\nreturn f.__globals__['__builtins__']", {kThrown}),
      monty("code of a function", "def f(): pass\nf.__code__ = None", {kThrown}),
      monty("text that formats", "return '{0.__class__.__init__.__globals__}'.format(len)", {kThrown}),
      monty("asks without end", "while True:\n  try: open('/x')\n  except Exception: pass", {kThrown, kTime}),
      monty("sleeps", "import time\ntime.sleep(1e6)", {kThrown}),
  };
}

std::vector<Script> time() {
  return {
      monty("endless loop", "while True: pass", {kTime}),
      monty("loop that catches", "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
            {kTime}),
      monty("loop in finally", "try:\n  while True: pass\nfinally:\n  while True: pass", {kTime}),
      monty("catastrophic regex", "import re\nreturn bool(re.match('(a+)+$', 'a' * 50 + 'b'))",
            {kTime, kThrown, "false"}),
      monty("regex with look behind and names",
            "import re\nreturn bool(re.match(r'(x+x+)+y', 'x' * 60 + 'z'))", {kTime, kThrown, "false"}),
      monty("large power", "return len(str(3 ** 10000000))", {kTime, kMemory, kThrown, kDied}),
      monty("text to integer", "return int('9' * 10 ** 6) > 1", {kTime, kMemory, kThrown, "true"}),
      monty("factorial", "import math\nreturn math.factorial(10 ** 7) > 1", {kTime, kMemory, kThrown}),
      monty("sum of what is not there", "return sum(range(10 ** 12))", {kTime}),
      monty("search in what is not there", "return -1.5 in range(10 ** 15)", {kTime, "false"}),
      monty("sort that lies",
            "class A:\n  def __lt__(self, other):\n    while True: pass\nreturn len(sorted([A(), A()]))",
            {kTime, kThrown}),
      monty("what an error says",
            "class A(Exception):\n  def __str__(self):\n    while True: pass\nraise A()",
            {kTime, kThrown, kSyntax}),
      monty("tasks without end",
            "import asyncio\nasync def f():\n  await asyncio.gather(f(), f())\nawait f()",
            {kTime, kMemory, kStack, kThrown}),
      monty("permutations", "import itertools\nreturn len(list(itertools.permutations(range(20))))",
            {kTime, kMemory, kThrown}),
  };
}

std::vector<Script> memory() {
  return {
      monty("10 GB in one text", "return len('x' * 10 ** 10)", {kMemory, kTime}),
      monty("10 GB in pieces", "a = []\nwhile True: a.append('x' * 10 ** 6)", {kMemory, kTime}),
      monty("asked for again and again", "while True:\n  try: 'x' * 10 ** 10\n  except BaseException: pass",
            {kMemory, kTime}),
      monty("doubling text", "a = 'x'\nwhile True: a += a", {kMemory, kTime}),
      monty("doubling list", "a = [1]\nwhile True: a += a", {kMemory, kTime}),
      monty("names without end", "a = {}\ni = 0\nwhile True:\n  a[str(i)] = i\n  i += 1", {kMemory, kTime}),
      monty("ljust", "return len('x'.ljust(10 ** 11))", {kMemory, kThrown, kTime}),
      monty("format", "return len(f'{1:>99999999999}')", {kMemory, kThrown, kSyntax, kTime}),
      monty("replace all", "return len(('a' * 10 ** 6).replace('a', 'b' * 10 ** 5))", {kMemory, kTime}),
      monty("join", "return len(('x' * 10 ** 6).join(['y'] * 10 ** 6))", {kMemory, kTime}),
      monty("shift", "return 1 << 10 ** 11", {kMemory, kThrown, kTime}),
      monty(
          "decimals",
          "from decimal import Decimal, getcontext\ngetcontext().prec = 10 ** 9\nreturn str(Decimal(1) / 3)",
          {kMemory, kTime, kThrown}),
      monty("JSON that grows",
            "import json\na = 1\nfor _ in range(80): a = [a, a]\nreturn len(json.dumps(a))",
            {kMemory, kTime, kThrown}),
      monty("100 MB of result", "return ['x' * 10 ** 6] * 100", {kOutput, kTime}),
      monty("2^60 values in little memory", "a = [1]\nfor _ in range(60): a = [a, a]\nreturn a",
            {kOutput, kTime}),
      monty("2^60 keys in little memory", "a = {}\nfor _ in range(60): a = {'x': a, 'y': a}\nreturn a",
            {kOutput, kTime}),
      monty("100 MB of log", "for _ in range(1000): print('x' * 10 ** 5)\nreturn 1", {"1", kTime}),
      monty("log in one piece", "print('x' * (6 * 10 ** 7))\nreturn 1", {"1", kMemory, kOutput, kTime}),
      monty("message of 10 MB", "raise ValueError('x' * 10 ** 7)", {kThrown, kTime}),
      monty("name of 10 MB", "return {}['n' * 10 ** 7]", {kThrown, kTime}),
      monty("many lines of an error",
            "def f(n):\n  return f(n + 1)" + std::string(200'000, ' ') + "\nreturn f(0)",
            {kStack, kMemory, kOutput, kDied, kTime}),
      monty("large inputs", "return len(a)", {"12000000", kTime},
            R"({"a":")" + std::string(12'000'000, 'x') + "\"}"),
      monty("many small inputs", "return len(a)", {"1000001", kMemory, kTime},
            [] {
              std::string json = R"({"a":[0)";
              for (int i = 0; i < 1'000'000; ++i) json += ",0";
              return json + "]}";
            }()),
  };
}

std::vector<Script> depth() {
  return {
      monty("deep recursion", "def f(): return f()\nreturn f()", {kStack}),
      monty("recursion that catches", "def f():\n  try: f()\n  except RecursionError: f()\nf()",
            {kStack, kTime, "null"}),
      monty("deep brackets", "return " + std::string(100'000, '['), {kSyntax, kDied}),
      monty("deep parentheses", "return " + std::string(100'000, '(') + "1" + std::string(100'000, ')'),
            {kSyntax, kDied}),
      monty("deep sums", "return " + std::string(100'000, '-') + "1", {kSyntax, kMemory, kStack, kDied}),
      monty("deep blocks",
            [] {
              std::string code;
              for (int i = 0; i < 1000; ++i)
                code += std::string(static_cast<std::size_t>(i), ' ') + "if 1:\n";
              return code + std::string(1000, ' ') + "pass";
            }(),
            {kSyntax, kDied, kStack, "null"}),
      monty("deep text that formats", "return " + std::string(200, 'f') + "'x'", {kSyntax}),
      monty("deep result", "a = []\nfor _ in range(10_000): a = [a]\nreturn a", {kNoResult, kStack, kDied}),
      monty("result that holds itself", "a = []\na.append(a)\nreturn a", {kNoResult}),
      monty("equal to itself", "a = []\na.append(a)\nb = []\nb.append(b)\nreturn a == b",
            {kStack, kThrown, "true", "false"}),
      monty("shown without end", "a = []\nfor _ in range(10_000): a = [a]\nreturn len(repr(a))",
            {kStack, kThrown, kDied, "2003", "20002"}),
      monty("deep JSON", "import json\nreturn json.loads('[' * 10 ** 5 + ']' * 10 ** 5)",
            {kStack, kThrown, kDied, kNoResult}),
      monty("deep eval", "return eval('(' * 10 ** 5 + ')' * 10 ** 5)", {kThrown, kStack, kDied, kSyntax}),
      monty("inputs that are deep", "return 1", {"invalid_input"},
            R"({"a":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}"),
      monty("leaves its function", "return 1\n)\nreturn 2", {kSyntax}),
      monty("NUL in the code", std::string("return 1\0return 2", 17), {kSyntax}),
      monty("bytes that are no UTF-8", "return '\xff\xfe'", {kSyntax, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""}),
  };
}

std::vector<Script> left_behind() {
  return {
      monty("leave something",
            "global left\nleft = 1\nimport json\ntry:\n  json.left = 1\nexcept Exception: pass\nreturn left",
            {"1"}),
      monty("find what was left",
            "import json\nfound = [hasattr(json, 'left')]\ntry:\n  found.append(left)\nexcept NameError:\n  "
            "pass\nreturn found",
            {"[false]"}),
  };
}

}  // namespace

std::vector<Script> monty_scripts() {
  std::vector<Script> all;
  for (auto* some : {reach, time, memory, depth, left_behind}) {
    for (Script& one : some()) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace holdfast::sandbox
