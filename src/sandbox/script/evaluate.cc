#include "script/evaluate.h"

#include <algorithm>

#include "script/code.h"
#include "script/json_in.h"
#include "script/json_out.h"
#include "script/value.h"

namespace holdfast::sandbox {

namespace {

Failure bad_input(std::string why) {
  return {Fault::kInput, "", std::move(why)};
}

// Each member of the inputs becomes a global name, unless the language has it.
std::optional<Failure> define_inputs(Isolate& isolate, const Request& request) {
  JSContext* context = isolate.context();
  std::string error;
  const auto inputs = read_value(context, request.inputs, request.decimals_as_text, error);
  if (!inputs) {
    if (error.empty()) return isolate.failure(kCodeFile);
    return bad_input("the inputs are no JSON that can be used: " + error);
  }
  if (!JS_IsObject(inputs->get()) || JS_IsArray(inputs->get()))
    return bad_input("the inputs are no JSON object; its members are the names that the code sees");
  const Value global(context, JS_GetGlobalObject(context));
  JSPropertyEnum* names = nullptr;
  std::uint32_t count = 0;
  if (JS_GetOwnPropertyNames(context, &names, &count, inputs->get(), JS_GPN_STRING_MASK) < 0)
    return isolate.failure(kCodeFile);
  std::optional<Failure> failure;
  for (std::uint32_t i = 0; i < count && !failure; ++i) {
    const JSAtom name = names[i].atom;
    if (JS_HasProperty(context, global.get(), name) != 0) {
      const Value text(context, JS_AtomToString(context, name));
      failure = bad_input("an input is called '" + std::string(Text(context, text.get()).get()) +
                          "', which is a name of the language: call it something else");
    } else if (JS_DefinePropertyValue(context, global.get(), name,
                                      JS_GetProperty(context, inputs->get(), name), JS_PROP_C_W_E) < 0) {
      failure = isolate.failure(kCodeFile);
    }
  }
  JS_FreePropertyEnum(context, names, count);
  return failure;
}

void evaluate_expression(Isolate& isolate, const std::string& code, Reply& reply) {
  JSContext* context = isolate.context();
  Value compiled = compile_expression(context, code);
  const Value value(context, compiled.threw() ? JS_EXCEPTION : JS_EvalFunction(context, compiled.release()));
  conclude(isolate, value.get(), reply);
  if (reply.failure) place(*reply.failure, code, {.before = 1});
}

// The code is the body of an async function. Nothing comes from outside, so once no job is left its promise
// has settled or never will; when time or memory ran out in a job, that is why.
void evaluate_script(Isolate& isolate, const std::string& code, Reply& reply) {
  JSContext* context = isolate.context();
  constexpr std::string_view kOpen = "(async()=>{";
  const Value promise = run_code(context, std::string(kOpen) + code + "\n})()");
  int job = promise.threw() ? 0 : 1;
  JSContext* of_job = nullptr;
  while (job > 0) job = JS_ExecutePendingJob(JS_GetRuntime(context), &of_job);
  const JSPromiseStateEnum state =
      promise.threw() || job < 0 ? JS_PROMISE_NOT_A_PROMISE : JS_PromiseState(context, promise.get());
  if (state == JS_PROMISE_FULFILLED) {
    const Value result(context,
                       isolate.throw_unhandled() ? JS_EXCEPTION : JS_PromiseResult(context, promise.get()));
    conclude(isolate, result.get(), reply);
  } else if (state == JS_PROMISE_PENDING && !isolate.out_of_time() && !isolate.out_of_memory()) {
    reply.failure = {Fault::kUnsettled, "",
                     "it waits for a promise that never settles: nothing comes from outside"};
  } else {
    if (state == JS_PROMISE_REJECTED) JS_Throw(context, JS_PromiseResult(context, promise.get()));
    conclude(isolate, JS_EXCEPTION, reply);
  }
  if (reply.failure) place(*reply.failure, code, {.before = kOpen.size()});
}

}  // namespace

void place(Failure& failure, std::string_view code, const Origin& origin) {
  if (failure.line == 0) return;
  const auto lines = static_cast<std::uint32_t>(std::ranges::count(code, '\n')) + 1;
  if (failure.line > lines) {
    const std::size_t last = code.rfind('\n');
    failure.line = lines;
    failure.column =
        static_cast<std::uint32_t>(code.size() - (last == std::string_view::npos ? 0 : last + 1)) + 1 +
        (lines == 1 ? origin.before : 0);
  }
  if (failure.line == 1) {
    failure.column -= std::min(failure.column - 1, origin.before);
    failure.column += origin.column - 1;
  }
  failure.line += origin.line - 1;
}

// Brackets of both kinds, because "a) + (b" is an expression in the one and "a], [b" in the other.
Value compile_expression(JSContext* context, std::string_view expression) {
  if (expression.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return {context, JS_ThrowSyntaxError(context, "%s", "there is no expression")};
  Value compiled = compile_code(context, "(" + std::string(expression) + "\n)");
  if (compiled.threw()) return compiled;
  if (compile_code(context, "[" + std::string(expression) + "\n]").threw()) return {context, JS_EXCEPTION};
  return compiled;
}

void conclude(Isolate& isolate, JSValueConst value, Reply& reply) {
  if (JS_IsException(value) || isolate.out_of_time()) {
    reply.failure = isolate.failure(kCodeFile);
    return;
  }
  std::string error;
  switch (write_json(isolate.context(), value, isolate.limits().output_bytes, reply.result, error)) {
    case Written::kWhole: return;
    case Written::kThrew: reply.failure = isolate.failure(kCodeFile); break;
    case Written::kNoJson: reply.failure = {Fault::kResult, "", error}; break;
    case Written::kTooLong:
      reply.failure = {
          Fault::kOutput, "",
          "its result is longer than " + std::to_string(isolate.limits().output_bytes) + " bytes"};
      break;
  }
  reply.result.clear();
}

Reply evaluate(Isolate& isolate, const Request& request) {
  Reply reply;
  isolate.limit(request.limits);
  if (request.kind != Kind::kCalls) reply.failure = define_inputs(isolate, request);
  if (reply.failure) return reply;
  if (request.kind != Kind::kCalls) isolate.start_clock();
  switch (request.kind) {
    case Kind::kExpression: evaluate_expression(isolate, request.code, reply); break;
    case Kind::kScript: evaluate_script(isolate, request.code, reply); break;
    case Kind::kTemplate: evaluate_template(isolate, request.code, reply); break;
    case Kind::kPython:
    case Kind::kMonty: reply.failure = bad_input("this process runs no Python"); break;
    case Kind::kCalls: evaluate_calls(isolate, request, reply); break;
  }
  reply.log = isolate.take_log();
  reply.log_left_out = isolate.log_left_out();
  return reply;
}

}  // namespace holdfast::sandbox
