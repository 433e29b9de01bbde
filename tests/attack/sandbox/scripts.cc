#include "scripts.h"

namespace holdfast::sandbox {

namespace {

Script script(std::string name, std::string code, std::vector<std::string> ends, std::string inputs = "{}") {
  Request request;
  request.kind = Kind::kScript;
  request.code = std::move(code);
  request.inputs = std::move(inputs);
  return {std::move(name), std::move(request), std::move(ends)};
}

Script text(std::string name, std::string code, std::vector<std::string> ends, std::string inputs = "{}") {
  Script one = script(std::move(name), std::move(code), std::move(ends), std::move(inputs));
  one.request.kind = Kind::kTemplate;
  return one;
}

std::string deep(char open, char close, int depth) {
  return std::string(static_cast<std::size_t>(depth), open) +
         std::string(static_cast<std::size_t>(depth), close);
}

std::vector<Script> time() {
  return {
      script("endless loop", "for (;;) {}", {kTime}),
      script("loop that catches", "for (;;) { try { for (;;) {} } catch {} }", {kTime}),
      script("loop in finally", "try { for (;;) {} } finally { for (;;) {} }", {kTime}),
      script("loop in a generator", "function* g() { for (;;) yield 1 } for (const x of g()) {}", {kTime}),
      script("loop of promises", "const f = () => Promise.resolve().then(f); await f()", {kTime, kMemory}),
      script("loop in a getter of the result", "return {get a() { for (;;) {} }}", {kTime}),
      script("loop in toJSON", "return {toJSON() { for (;;) {} }}", {kTime}),
      script("loop in a proxy", "return new Proxy({}, {ownKeys() { for (;;) {} }})", {kTime}),
      script("loop in toString of what is thrown", "throw {toString() { for (;;) {} }}", {kTime}),
      script("loop in the stack of an error",
             "const e = new Error('x'); Object.defineProperty(e, 'stack', {get() { for (;;) {} }}); throw e",
             {kTime, kThrown}),
      script("catastrophic regex", "return /^(a+)+$/.test('a'.repeat(50) + 'b')", {kTime}),
      script("catastrophic regex with look behind", "return /(?<=(x+x+)+)y/.test('x'.repeat(60) + 'z')",
             {kTime, "false"}),
      script("search in what is not there", "const a = []; a.length = 4e9; return a.indexOf(1)", {kTime}),
      script("join of what is not there", "return new Array(4e9).join('x').length",
             {kTime, kMemory, kThrown}),
      script("fill 4e9", "return new Array(4294967295).fill(0).length", {kTime, kMemory}),
      script("sort a million",
             "const a = []; for (let i = 0; i < 3e5; i++) a.push('x' + i); a.sort(); a.sort(); a.sort(); "
             "return a.length",
             {kTime, kMemory}),
      script("comparator that lies", "return [3, 1, 2, 5, 4].sort(() => { for (;;) {} })", {kTime}),
      script("large BigInt", "let n = 3n; for (let i = 0; i < 40; i++) n *= n; return String(n).length",
             {kTime, kMemory, kThrown}),
      script("BigInt to the BigInt", "return String(2n ** 100000000n).length", {kTime, kMemory, kThrown}),
      script("string to BigInt", "return BigInt('9'.repeat(1e6)) > 1n", {kTime, kMemory, kThrown}),
      script("replace all", "return 'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e4)).length",
             {kTime, kMemory, kThrown}),
      script("wait in shared memory", "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)",
             {kThrown}),
      script("wait for nothing", "await new Promise(() => {})", {"never_settles"}),
  };
}

std::vector<Script> memory() {
  return {
      script("10 GB in one buffer", "return new ArrayBuffer(10 * 2 ** 30).byteLength", {kMemory, kThrown}),
      script("10 GB in one string", "return 'x'.repeat(10 * 2 ** 30).length", {kMemory, kThrown}),
      script("10 GB in pieces", "const a = []; for (;;) a.push(new Uint8Array(1e6))", {kMemory}),
      script("memory that is asked for again and again", "for (;;) { try { new Uint8Array(1e9) } catch {} }",
             {kTime, kMemory}),
      script("doubling string", "let s = 'x'; for (;;) s += s", {kMemory, kThrown}),
      script("doubling rope, read",
             "let s = 'x'; for (let i = 0; i < 28; i++) s += s; return s.charCodeAt(5)", {kMemory, kThrown}),
      script("map without end", "const m = new Map(); for (let i = 0;; i++) m.set(i, i)", {kMemory, kTime}),
      script("names without end", "const o = {}; for (let i = 0;; i++) o['k' + i] = i", {kMemory, kTime}),
      script("padStart", "return 'x'.padStart(2 ** 30, 'ab').length", {kMemory, kThrown}),
      script("resizable buffer",
             "const b = new ArrayBuffer(1, {maxByteLength: 2 ** 33}); b.resize(2 ** 33); return 1",
             {kMemory, kThrown}),
      script("100 MB of result", "return new Array(100).fill('x'.repeat(1e6))", {kOutput}),
      script("2^60 values in little memory", "let a = [1]; for (let i = 0; i < 60; i++) a = [a, a]; return a",
             {kOutput}),
      script("100 MB of log",
             "const s = 'x'.repeat(1e5); for (let i = 0; i < 1000; i++) console.log(s); return 1",
             {"1", kTime}),
      script("message of 10 MB", "throw new Error('x'.repeat(1e7))", {kThrown}),
      script("name of 10 MB", "const e = new Error('x'); e.name = 'n'.repeat(1e7); throw e", {kThrown}),
      text("template that doubles", "{{ a.repeat(1e6) }}{{ a.repeat(1e6) }}{{ a.repeat(1e6) }}", {kOutput},
           R"({"a":"x"})"),
  };
}

std::vector<Script> depth() {
  return {
      script("deep recursion", "const f = n => f(n + 1) + 1; return f(0)", {kStack}),
      script("deep recursion of constructors", "class A { constructor() { new A() } } new A()", {kStack}),
      script("deep recursion through the engine", "const f = () => [1].map(f); f()", {kStack}),
      script("deep brackets", "return " + deep('[', ']', 100'000), {kStack, kSyntax}),
      script("deep parentheses", "return " + deep('(', ')', 100'000), {kStack, kSyntax}),
      script("deep blocks", deep('{', '}', 100'000), {kStack, kSyntax}),
      script("deep regex", "return new RegExp('(' .repeat(1e5) + ')'.repeat(1e5)).test('')",
             {kStack, kSyntax, kThrown, kMemory}),
      script("deep JSON", "return JSON.parse('['.repeat(1e5) + ']'.repeat(1e5))",
             {kStack, kSyntax, "no_json_result"}),
      script("deep proxies", "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x",
             {kStack, kTime, kMemory}),
      script("deep bound functions",
             "let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); return f()",
             {kStack, kTime, kMemory}),
      script("deep prototypes",
             "let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); return o.x ?? 1",
             {"1", kTime, kMemory}),
      script("deep result", "let a = []; for (let i = 0; i < 1e4; i++) a = [a]; return a",
             {"no_json_result"}),
      script("result that holds itself", "const a = {}; a.a = a; return a", {"no_json_result"}),
      script("deep inputs", "return 1", {"invalid_input"}, R"({"a":)" + deep('[', ']', 10'000) + "}"),
      script("many arguments", "return Math.max(...new Array(1e6).fill(1))", {kStack, kThrown, kMemory, "1"}),
      text("template of braces", "{{" + deep('{', '}', 50'000) + "}}", {kStack, kSyntax, "invalid_input"}),
  };
}

std::vector<Script> reach() {
  return {
      script("constructor of constructors",
             "return (() => {}).constructor('return typeof process + typeof require + typeof std + typeof "
             "os')()",
             {R"("undefinedundefinedundefinedundefined")"}),
      script("global names",
             "return ['fetch', 'XMLHttpRequest', 'WebSocket', 'Worker', 'setTimeout', 'require', 'process', "
             "'std', 'os', 'bjson', 'scriptArgs', 'load', 'print', 'gc', 'performance', 'WeakRef'].filter(n "
             "=> n in globalThis)",
             {"[]"}),
      script("import a file", "return await import('/etc/passwd')", {kThrown}),
      script("import a module", "return await import('std')", {kThrown}),
      script("import statement", "import * as std from 'std'; return 1", {kSyntax}),
      script("what time it is", "return Date.now()", {"no_clock"}),
      script("what time it is, by the constructor of a date", "return +new (new Date(0).constructor)",
             {"no_clock"}),
      script("randomness", "return Math.random()", {"no_randomness"}),
      script("leaves its function", "}); globalThis.x = 1; ((", {kSyntax}),
      script("comment to the end", "return 1 /*", {kSyntax}),
      script("inputs with __proto__", "return [({}).x ?? 'clean', Object.keys(a)]",
             {R"(["clean",["__proto__"]])"}, R"({"a":{"__proto__":{"x":1}}})"),
      script("pollution",
             "for (const k of ['map', 'toString', 'constructor']) Array.prototype[k] = Object.prototype[k] = "
             "1; globalThis.left = 1; return 1",
             {"1"}),
      script("pollution is gone", "return [typeof left, typeof [].map, typeof ({}).toString]",
             {R"(["undefined","function","function"])"}),
      script("JSON of its own", "JSON.stringify = () => 'x'; JSON.parse = null; return {a: 1}",
             {R"({"a":1})"}),
      script("numbers of its own",
             "Number.prototype.toString = () => 'x'; BigInt.prototype.toString = () => 'y'; return [1.5, 10n "
             "** 20n]",
             {"[1.5,100000000000000000000]"}),
      script("NUL in the code", std::string("return 1\0; return 2", 19), {kSyntax, "1"}),
      script("bytes that are no UTF-8", "return '\xff\xfe'.length", {"2", kSyntax, "1"}),
      script("a name of the language as an input", "return 1", {"invalid_input"}, R"({"Object":1})"),
      text("text that says what an expression is", "{{ a }}", {R"("{{ 1 + 1 }}")"}, R"({"a":"{{ 1 + 1 }}"})"),
  };
}

}  // namespace

std::vector<Script> scripts() {
  std::vector<Script> all;
  for (auto* some : {time, memory, depth, reach}) {
    for (Script& one : some()) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace holdfast::sandbox
