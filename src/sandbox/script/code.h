#pragma once

// Pieces of evaluate(): code compiled under one name, in strict mode, and places in it.

#include <string>
#include <string_view>

#include "script/isolate.h"
#include "script/value.h"

namespace holdfast::sandbox {

inline constexpr const char* kCodeFile = "<code>";

// The result of `code`; `code` is a C string, which the engine asks for.
inline Value run_code(JSContext* context, const std::string& code) {
  return {context,
          JS_Eval(context, code.data(), code.size(), kCodeFile, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_STRICT)};
}
inline Value compile_code(JSContext* context, const std::string& code) {
  return {context, JS_Eval(context, code.data(), code.size(), kCodeFile,
                           JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_STRICT | JS_EVAL_FLAG_COMPILE_ONLY)};
}

// Where the code of the engine began in the text of the user: `before` bytes of ours stood in front of it in
// its first line.
struct Origin {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::uint32_t before = 0;
};
// A failure's place in the user's text; what the engine finds behind the end of `code` is at its end.
void place(Failure& failure, std::string_view code, const Origin& origin);

// Whether `expression` is exactly one expression; if not, the exception is in the context. Compiled as
// "(expression\n)", so one byte stands before it.
Value compile_expression(JSContext* context, std::string_view expression);

// A template whole: its result as JSON in `reply`, or its failure.
void evaluate_template(Isolate& isolate, const std::string& text, Reply& reply);
// Code that calls tools: what it asks for, or its result. Starts the clock.
void evaluate_calls(Isolate& isolate, const Request& request, Reply& reply);
// `value` as the result of `reply`, or why not.
void conclude(Isolate& isolate, JSValueConst value, Reply& reply);

}  // namespace holdfast::sandbox
