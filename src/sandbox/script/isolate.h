#pragma once

// Isolate: one JavaScript engine, whole and empty, for one evaluation. It has no clock, no randomness, no
// modules and nothing of the machine; what it allocates and how long it runs is counted, and it is stopped at
// the limits. One thread; nothing in it outlives it.

#include <quickjs.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "wire/message.h"

namespace holdfast::sandbox {

// Nanoseconds of processor time that this thread has used.
using ProcessorTime = std::function<std::int64_t()>;

class Isolate {
 public:
  explicit Isolate(ProcessorTime processor);
  ~Isolate();
  Isolate(const Isolate&) = delete;
  Isolate& operator=(const Isolate&) = delete;

  JSContext* context() const { return context_; }
  // From here on those of memory and stack hold.
  void limit(const Limits& limits);
  // From here on that of time does: reading the inputs is not the code's doing.
  void start_clock();
  const Limits& limits() const { return limits_; }

  // It was stopped for its time: whatever came of it is not its result.
  bool out_of_time() const { return out_of_time_; }
  bool out_of_memory() const { return memory_.short_of; }
  std::size_t memory_bytes() const { return memory_.used; }
  // What was thrown last, as a failure. `file` is the name under which the code was compiled.
  Failure failure(const char* file);

  // Throws what a promise was rejected with that nobody handles; false: there is none. The code has ended as
  // if nothing had failed.
  bool throw_unhandled();

  // console.log and what is told of it.
  void log(std::string_view line);
  std::string take_log() { return std::move(log_); }
  std::uint32_t log_left_out() const { return log_left_out_; }

  // Set by the functions that are there to say no.
  void denied(Fault fault) { denied_ = fault; }
  JSValueConst date_constructor() const { return date_; }

 private:
  struct Memory {
    std::size_t used = 0;
    std::size_t most = SIZE_MAX;
    bool short_of = false;
    bool may(std::size_t more) {
      if (more <= most && used <= most - more) return true;
      short_of = true;
      return false;
    }
    // As the engine calls them; `self` is the memory.
    static void* take_zeroed(void* self, std::size_t count, std::size_t size);
    static void* take(void* self, std::size_t size);
    static void give_back(void* self, void* pointer);
    static void* resize(void* self, void* pointer, std::size_t size);
    static std::size_t size_of(const void* pointer);
  };
  static const JSMallocFunctions kAllocation;
  static int interrupt(JSRuntime* runtime, void* self);
  static void rejected(JSContext* context, JSValueConst promise, JSValueConst reason, bool is_handled,
                       void* self);
  void install();

  const ProcessorTime processor_;
  Memory memory_;
  Limits limits_;
  std::int64_t deadline_ = INT64_MAX;
  bool out_of_time_ = false;
  std::optional<Fault> denied_;
  std::string log_;
  std::uint32_t log_left_out_ = 0;
  JSRuntime* runtime_;
  JSContext* context_;
  JSValue date_ = JS_UNDEFINED;
  struct Rejection {
    std::uint64_t number = 0;
    JSValue promise = JS_UNDEFINED;
    JSValue reason = JS_UNDEFINED;
  };
  // Of promises that nobody handles yet, by the promise.
  std::unordered_map<void*, Rejection> rejections_;
  std::uint64_t rejected_ = 0;
};

}  // namespace holdfast::sandbox
