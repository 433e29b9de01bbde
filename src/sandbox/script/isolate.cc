#include "script/isolate.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "script/json_out.h"
#include "script/value.h"

namespace holdfast::sandbox {

namespace {

constexpr std::size_t kMostMessageBytes = 2048;
constexpr std::size_t kMostNameBytes = 128;
constexpr std::size_t kFirstGarbageBytes = 256 << 10;

Isolate& isolate_of(JSContext* context) {
  return *static_cast<Isolate*>(JS_GetContextOpaque(context));
}

// At most so many bytes, and no piece of a character.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most)) + "...";
}

JSValue no_clock(JSContext* context, JSValueConst, int, JSValueConst*) {
  isolate_of(context).denied(Fault::kClock);
  return JS_ThrowTypeError(
      context,
      "there is no clock here: the same inputs give the same result; pass the time in, as in "
      "new Date(input.at)");
}

JSValue no_randomness(JSContext* context, JSValueConst, int, JSValueConst*) {
  isolate_of(context).denied(Fault::kRandom);
  return JS_ThrowTypeError(
      context, "there is no randomness here: the same inputs give the same result; pass a number in");
}

// Date as it is, but for the two ways in which it reads the clock.
JSValue construct_date(JSContext* context, JSValueConst new_target, int count, JSValueConst* arguments) {
  if (JS_IsUndefined(new_target) || count == 0) return no_clock(context, new_target, count, arguments);
  return JS_CallConstructor2(context, isolate_of(context).date_constructor(), new_target, count, arguments);
}

// An object as JSON, with the integers that it has. What is no JSON is logged as JSON.stringify has it, or in
// words: a line of the log ends nothing.
bool log_object(JSContext* context, JSValueConst given, std::string& line) {
  constexpr std::size_t kMostBytes = 1 << 20;
  std::string json;
  std::string no_json;
  const Written written = write_json(context, given, kMostBytes, json, no_json);
  if (written == Written::kWhole) {
    line += json;
    return true;
  }
  if (written == Written::kThrew) return false;
  const Value text(context, JS_JSONStringify(context, given, JS_UNDEFINED, JS_UNDEFINED));
  if (text.threw()) {
    const Value thrown(context, JS_GetException(context));
    if (JS_IsUncatchableError(thrown.get())) {
      JS_Throw(context, JS_DupValue(context, thrown.get()));
      return false;
    }
    line += written == Written::kTooLong ? "(too long to log)" : "(" + no_json + ")";
    return true;
  }
  const Text said(context, text.get());
  if (said.threw()) return false;
  line += said.get();
  return true;
}

JSValue console_log(JSContext* context, JSValueConst, int count, JSValueConst* arguments) {
  std::string line;
  for (int i = 0; i < count; ++i) {
    if (i > 0) line += ' ';
    const bool plain = !JS_IsObject(arguments[i]) || JS_IsFunction(context, arguments[i]);
    if (!plain) {
      if (!log_object(context, arguments[i], line)) return JS_EXCEPTION;
      continue;
    }
    const Text text(context, arguments[i]);
    if (text.threw()) return JS_EXCEPTION;
    line += text.get();
  }
  isolate_of(context).log(line);
  return JS_UNDEFINED;
}

void define(JSContext* context, JSValueConst object, const char* name, JSCFunction* function, int length) {
  JS_DefinePropertyValueStr(context, object, name, JS_NewCFunction(context, function, name, length),
                            JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
}

// The first place in `stack` that is in `file`: "...file:LINE:COLUMN...".
void find_place(std::string_view stack, std::string_view file, Failure& failure) {
  const std::string mark = std::string(file) + ":";
  const std::size_t at = stack.find(mark);
  if (at == std::string_view::npos) return;
  std::uint32_t numbers[2] = {0, 0};
  std::size_t i = at + mark.size();
  for (std::uint32_t& number : numbers) {
    for (; i < stack.size() && stack[i] >= '0' && stack[i] <= '9' && number < 100'000'000; ++i) {
      number = number * 10 + static_cast<std::uint32_t>(stack[i] - '0');
    }
    if (i < stack.size() && stack[i] == ':') ++i;
  }
  failure.line = numbers[0];
  failure.column = numbers[1];
}

}  // namespace

void* Isolate::Memory::take_zeroed(void* self, std::size_t count, std::size_t size) {
  auto& memory = *static_cast<Memory*>(self);
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || !memory.may(bytes)) return nullptr;
  void* got = std::calloc(count, size);
  if (got != nullptr) memory.used += malloc_usable_size(got);
  return got;
}

void* Isolate::Memory::take(void* self, std::size_t size) {
  auto& memory = *static_cast<Memory*>(self);
  if (!memory.may(size)) return nullptr;
  void* got = std::malloc(size);
  if (got != nullptr) memory.used += malloc_usable_size(got);
  return got;
}

void Isolate::Memory::give_back(void* self, void* pointer) {
  if (pointer == nullptr) return;
  static_cast<Memory*>(self)->used -= malloc_usable_size(pointer);
  std::free(pointer);
}

void* Isolate::Memory::resize(void* self, void* pointer, std::size_t size) {
  auto& memory = *static_cast<Memory*>(self);
  const std::size_t before = pointer == nullptr ? 0 : malloc_usable_size(pointer);
  if (size > before && !memory.may(size - before)) return nullptr;
  void* got = std::realloc(pointer, size);
  if (got != nullptr || size == 0) memory.used -= before;
  if (got != nullptr) memory.used += malloc_usable_size(got);
  return got;
}

std::size_t Isolate::Memory::size_of(const void* pointer) {
  return malloc_usable_size(const_cast<void*>(pointer));
}

const JSMallocFunctions Isolate::kAllocation = {Memory::take_zeroed, Memory::take, Memory::give_back,
                                                Memory::resize, Memory::size_of};

Isolate::Isolate(ProcessorTime processor) : processor_(std::move(processor)) {
  // Without memory for an empty engine there is no process to speak of.
  runtime_ = JS_NewRuntime2(&kAllocation, &memory_);
  context_ = runtime_ == nullptr ? nullptr : JS_NewContextRaw(runtime_);
  if (context_ == nullptr) std::abort();
  JS_SetContextOpaque(context_, this);
  JS_SetInterruptHandler(runtime_, &Isolate::interrupt, this);
  JS_SetHostPromiseRejectionTracker(runtime_, &Isolate::rejected, this);
  install();
  // An empty engine is almost what the engine collects at first: it would look at everything in each run.
  JS_SetGCThreshold(runtime_, memory_.used + kFirstGarbageBytes);
}

Isolate::~Isolate() {
  memory_.most = SIZE_MAX;
  JS_SetInterruptHandler(runtime_, nullptr, nullptr);
  JS_SetHostPromiseRejectionTracker(runtime_, nullptr, nullptr);
  for (const auto& [pointer, rejection] : rejections_) {
    JS_FreeValue(context_, rejection.promise);
    JS_FreeValue(context_, rejection.reason);
  }
  JS_FreeValue(context_, date_);
  JS_FreeContext(context_);
  JS_FreeRuntime(runtime_);
}

// The language without what tells one run from another: no performance, no WeakRef (which shows when memory
// is collected).
void Isolate::install() {
  const bool whole = JS_AddIntrinsicBaseObjects(context_) == 0 && JS_AddIntrinsicDate(context_) == 0 &&
                     JS_AddIntrinsicEval(context_) == 0 && JS_AddIntrinsicRegExp(context_) == 0 &&
                     JS_AddIntrinsicJSON(context_) == 0 && JS_AddIntrinsicProxy(context_) == 0 &&
                     JS_AddIntrinsicMapSet(context_) == 0 && JS_AddIntrinsicTypedArrays(context_) == 0 &&
                     JS_AddIntrinsicPromise(context_) == 0 && JS_AddIntrinsicAToB(context_) == 0;
  if (!whole) std::abort();
  const Value global(context_, JS_GetGlobalObject(context_));

  date_ = JS_GetPropertyStr(context_, global.get(), "Date");
  JSValue date = JS_NewCFunction2(context_, construct_date, "Date", 7, JS_CFUNC_constructor_or_func, 0);
  for (const char* name : {"UTC", "parse"}) {
    JS_DefinePropertyValueStr(context_, date, name, JS_GetPropertyStr(context_, date_, name),
                              JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
  }
  define(context_, date, "now", no_clock, 0);
  const Value prototype(context_, JS_GetPropertyStr(context_, date_, "prototype"));
  JS_SetConstructor(context_, date, prototype.get());
  JS_DefinePropertyValueStr(context_, global.get(), "Date", date, JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);

  const Value math(context_, JS_GetPropertyStr(context_, global.get(), "Math"));
  define(context_, math.get(), "random", no_randomness, 0);

  JSValue console = JS_NewObject(context_);
  for (const char* name : {"log", "info", "warn", "error", "debug"}) {
    define(context_, console, name, console_log, 1);
  }
  JS_DefinePropertyValueStr(context_, global.get(), "console", console,
                            JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
}

void Isolate::limit(const Limits& limits) {
  limits_ = limits;
  memory_.most = limits.memory_bytes;
  JS_UpdateStackTop(runtime_);
  JS_SetMaxStackSize(runtime_, limits.stack_bytes);
}

void Isolate::start_clock() {
  deadline_ = processor_() + std::int64_t{limits_.time_ms} * 1'000'000;
}

int Isolate::interrupt(JSRuntime*, void* self) {
  auto& isolate = *static_cast<Isolate*>(self);
  if (!isolate.out_of_time_) isolate.out_of_time_ = isolate.processor_() >= isolate.deadline_;
  return isolate.out_of_time_ ? 1 : 0;
}

void Isolate::rejected(JSContext* context, JSValueConst promise, JSValueConst reason, bool is_handled,
                       void* self) {
  auto& isolate = *static_cast<Isolate*>(self);
  void* const pointer = JS_VALUE_GET_PTR(promise);
  if (!is_handled) {
    Rejection& one = isolate.rejections_[pointer];
    if (one.number != 0) return;
    one = {++isolate.rejected_, JS_DupValue(context, promise), JS_DupValue(context, reason)};
    return;
  }
  const auto found = isolate.rejections_.find(pointer);
  if (found == isolate.rejections_.end()) return;
  const Rejection one = found->second;
  isolate.rejections_.erase(found);
  JS_FreeValue(context, one.promise);
  JS_FreeValue(context, one.reason);
}

bool Isolate::throw_unhandled() {
  const auto first = std::ranges::min_element(rejections_, {},
                                              [](const auto& rejection) { return rejection.second.number; });
  if (first == rejections_.end()) return false;
  JS_Throw(context_, JS_DupValue(context_, first->second.reason));
  return true;
}

void Isolate::log(std::string_view line) {
  if (line.size() >= limits_.log_bytes || log_.size() + line.size() + 1 > limits_.log_bytes) {
    ++log_left_out_;
    return;
  }
  log_ += line;
  log_ += '\n';
}

Failure Isolate::failure(const char* file) {
  const Value thrown(context_, JS_GetException(context_));
  const bool was_short = memory_.short_of;
  // What the error says may run code of the user, in the time that is left; it is said even when memory is
  // short.
  const std::size_t most = std::exchange(memory_.most, std::max(memory_.most, memory_.used + (256U << 10)));
  Failure failure;
  if (JS_IsError(thrown.get())) {
    const auto member = [&](const char* name, std::size_t most) {
      const Value value(context_, JS_GetPropertyStr(context_, thrown.get(), name));
      if (value.threw()) JS_FreeValue(context_, JS_GetException(context_));
      if (!JS_IsString(value.get())) return std::string();
      const Text text(context_, value.get());
      return cut(text.get(), most);
    };
    failure.name = member("name", kMostNameBytes);
    failure.message = member("message", kMostMessageBytes);
    find_place(member("stack", std::size_t{16} << 10), file, failure);
  } else {
    const Text text(context_, thrown.get());
    if (text.threw()) JS_FreeValue(context_, JS_GetException(context_));
    failure.message =
        text.threw() ? "something that has no text was thrown" : cut(text.get(), kMostMessageBytes);
  }
  memory_.most = most;
  failure.fault = failure.name == "SyntaxError" ? Fault::kSyntax : Fault::kThrown;
  if (denied_ && failure.name == "TypeError") failure.fault = *denied_;
  if (failure.name == "RangeError" && failure.message == "Maximum call stack size exceeded") {
    failure.fault = Fault::kStack;
    failure.message = "calls are nested deeper than " + std::to_string(limits_.stack_bytes) +
                      " bytes of stack hold: a recursion without end?";
  }
  if (was_short) {
    failure.fault = Fault::kMemory;
    failure.message = "it needs more than " + std::to_string(limits_.memory_bytes) + " bytes of memory";
  }
  if (out_of_time_) {
    failure.fault = Fault::kTime;
    failure.message = "it ran longer than " + std::to_string(limits_.time_ms) + " ms";
  }
  return failure;
}

}  // namespace holdfast::sandbox
