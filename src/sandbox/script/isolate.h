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

  // What was thrown last, as a failure. `file` is the name under which the code was compiled.
  Failure failure(const char* file);

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
  };
  static const JSMallocFunctions kAllocation;
  static int interrupt(JSRuntime* runtime, void* self);
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
};

}  // namespace holdfast::sandbox
