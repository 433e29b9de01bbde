// Code that calls tools. Nothing is called in here: what a call came to is in the inputs, in rounds, and code
// that asks for more than that ends with what it asks for. It is run again from its beginning when those
// calls have been made. A round is what was asked for until nothing was left to do; the results of one are
// given all at once, in the order of the calls. So each run goes exactly where the last one went, and a
// little farther.

#include <string>

#include "script/code.h"
#include "script/json_in.h"
#include "script/json_out.h"
#include "script/value.h"

namespace holdfast::sandbox {

namespace {

constexpr std::string_view kOpen = "(async()=>{";

// (inputs, encode) -> {tools, ToolError, next, more, asked, diverged}. What code does to it in the language's
// own objects it does to itself: whoever makes the calls checks each of them.
constexpr std::string_view kPrelude = R"js((inputs, encode) => {
  class ToolError extends Error {
    constructor(message) { super(message); this.name = "ToolError"; }
  }
  const { names, rounds, most } = inputs;
  let total = 0, round = 0, here = [], diverged = "";
  const differ = (why) => {
    if (diverged === "") diverged = `call ${total} of the code: ${why}`;
    throw new Error(`the code did not do what it did before: ${diverged}`);
  };
  const ask = (tool, given) => new Promise((resolve, reject) => {
    const text = encode(given === undefined ? {} : given);
    if (total >= most) throw new ToolError(`the code makes more than ${most} calls; make fewer at once`);
    ++total;
    const recorded = round < rounds.length ? rounds[round][here.length] : null;
    if (recorded === undefined) differ(`\`${tool}\` was not called before`);
    if (recorded !== null && (recorded.tool !== tool || recorded.arguments !== text))
      differ(`\`${tool}\` is called with ${text}; it was \`${recorded.tool}\` with ${recorded.arguments}`);
    // Made here, so that it knows where the code made the call.
    here[here.length] = { tool, text, recorded, resolve, reject, failure: new ToolError("") };
  });
  const functions = Object.create(null);
  for (const name of names) {
    functions[name] = (...given) => {
      if (given.length > 1) throw new TypeError("a tool takes one object with its arguments, and nothing beside it");
      return ask(name, given[0]);
    };
  }
  const tools = new Proxy(Object.freeze(functions), {
    get(known, name) {
      if (typeof name === "symbol" || name === "then" || name in known) return known[name];
      throw new ToolError(`there is no tool \`${name}\` for code; the tools are: ${names.join(", ")}`);
    }
  });
  return {
    tools,
    ToolError,
    more: () => round < rounds.length,
    next: () => {
      if (here.length !== rounds[round].length) {
        if (diverged === "") diverged = `${here.length} calls are made where ${rounds[round].length} were`;
        return;
      }
      const settled = here;
      here = [];
      ++round;
      for (const { recorded, resolve, reject, failure } of settled) {
        if (!recorded.ok) failure.message = recorded.value;
        recorded.ok ? resolve(recorded.value) : reject(failure);
      }
    },
    asked: () => here.map(({ tool, text }) => ({ tool, arguments: text })),
    diverged: () => diverged
  };
})js";

JSValue encode_arguments(JSContext* context, JSValueConst, int count, JSValueConst* arguments) {
  const auto& isolate = *static_cast<Isolate*>(JS_GetContextOpaque(context));
  std::string text;
  std::string error;
  const JSValueConst value = count > 0 ? arguments[0] : JS_UNDEFINED;
  if (!JS_IsObject(value) || JS_IsArray(value) || JS_IsFunction(context, value))
    return JS_ThrowTypeError(context,
                             "a tool takes one object with its arguments, as in tools.NAME({id: 1})");
  switch (write_json(context, value, isolate.limits().output_bytes, text, error)) {
    case Written::kWhole: return JS_NewStringLen(context, text.data(), text.size());
    case Written::kThrew: return JS_EXCEPTION;
    case Written::kNoJson: return JS_ThrowTypeError(context, "the arguments of a call: %s", error.c_str());
    case Written::kTooLong: break;
  }
  return JS_ThrowRangeError(context, "the arguments of a call have more than %u bytes",
                            isolate.limits().output_bytes);
}

// What goes on between the code and its calls.
class Calls {
 public:
  Calls(Isolate& isolate, Value conversation)
      : isolate_(isolate), context_(isolate.context()), conversation_(std::move(conversation)) {}

  Value call(const char* name) {
    const Value function(context_, JS_GetPropertyStr(context_, conversation_.get(), name));
    return {context_, JS_Call(context_, function.get(), JS_UNDEFINED, 0, nullptr)};
  }
  bool more() { return JS_ToBool(context_, call("more").get()) == 1; }
  // False: the exception is in the context.
  bool run_jobs() {
    JSContext* of_job = nullptr;
    int job = 1;
    while (job > 0) job = JS_ExecutePendingJob(JS_GetRuntime(context_), &of_job);
    return job == 0;
  }
  // `{"MEMBER":VALUE}` into the reply, or why not.
  void conclude_as(std::string_view member, JSValueConst value, Reply& reply) {
    conclude(isolate_, value, reply);
    if (!reply.failure) reply.result = "{\"" + std::string(member) + "\":" + reply.result + "}";
  }

  // Until it has asked for what is not recorded, or is done.
  void follow(JSValueConst promise, Reply& reply) {
    while (true) {
      if (!run_jobs() || isolate_.out_of_time() || isolate_.out_of_memory())
        return conclude(isolate_, JS_EXCEPTION, reply);
      const Value diverged = call("diverged");
      if (Text(context_, diverged.get()).get() != "") return conclude_as("diverged", diverged.get(), reply);
      const JSPromiseStateEnum state = JS_PromiseState(context_, promise);
      if (state == JS_PROMISE_REJECTED) {  // and what it asked for before is not called
        JS_Throw(context_, JS_PromiseResult(context_, promise));
        return conclude(isolate_, JS_EXCEPTION, reply);
      }
      if (more()) {
        if (call("next").threw()) return conclude(isolate_, JS_EXCEPTION, reply);
        continue;
      }
      const Value asked = call("asked");
      std::int64_t count = 0;
      if (asked.threw() || JS_GetLength(context_, asked.get(), &count) != 0)
        return conclude(isolate_, JS_EXCEPTION, reply);
      if (count > 0) return conclude_as("calls", asked.get(), reply);
      if (state == JS_PROMISE_FULFILLED && isolate_.throw_unhandled())
        return conclude(isolate_, JS_EXCEPTION, reply);
      if (state == JS_PROMISE_FULFILLED)
        return conclude_as("value", Value(context_, JS_PromiseResult(context_, promise)).get(), reply);
      reply.failure = {Fault::kUnsettled, "",
                       "it waits for a promise that never settles: only calls of tools come from outside"};
      return;
    }
  }

 private:
  Isolate& isolate_;
  JSContext* context_;
  Value conversation_;
};

}  // namespace

void evaluate_calls(Isolate& isolate, const Request& request, Reply& reply) {
  JSContext* context = isolate.context();
  std::string error;
  auto inputs = read_value(context, request.inputs, request.decimals_as_text, error);
  if (!inputs) {
    reply.failure = error.empty() ? isolate.failure(kCodeFile)
                                  : Failure{Fault::kInput, "", "the inputs are no JSON: " + error};
    return;
  }
  // Under a name of its own: places in it are none of the code's.
  const Value prelude(context, JS_Eval(context, kPrelude.data(), kPrelude.size(), "<calls>",
                                       JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_STRICT));
  const Value encode(context, JS_NewCFunction(context, encode_arguments, "encode", 1));
  JSValueConst given[] = {inputs->get(), encode.get()};
  Value conversation(
      context, prelude.threw() ? JS_EXCEPTION : JS_Call(context, prelude.get(), JS_UNDEFINED, 2, given));
  if (conversation.threw()) {
    reply.failure = isolate.failure(kCodeFile);
    return;
  }
  const Value global(context, JS_GetGlobalObject(context));
  JS_DefinePropertyValueStr(context, global.get(), "tools",
                            JS_GetPropertyStr(context, conversation.get(), "tools"), JS_PROP_ENUMERABLE);
  JS_DefinePropertyValueStr(context, global.get(), "ToolError",
                            JS_GetPropertyStr(context, conversation.get(), "ToolError"),
                            JS_PROP_CONFIGURABLE);
  isolate.start_clock();
  const Value promise = run_code(context, std::string(kOpen) + request.code + "\n})()");
  if (promise.threw()) {
    conclude(isolate, JS_EXCEPTION, reply);
  } else {
    Calls(isolate, std::move(conversation)).follow(promise.get(), reply);
  }
  if (reply.failure) place(*reply.failure, request.code, {.before = kOpen.size()});
}

}  // namespace holdfast::sandbox
