#pragma once

// For the tests of this room: one request, one isolate.

#include <ctime>
#include <string>

#include "script/evaluate.h"

namespace holdfast::sandbox {

inline std::int64_t processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline Reply run(const Request& request) {
  Isolate isolate(processor_time);
  return evaluate(isolate, request);
}

// Its result, or "FAULT LINE:COLUMN MESSAGE".
inline std::string told(const Reply& reply) {
  if (!reply.failure) return reply.result;
  const Failure& failure = *reply.failure;
  return std::string(fault_name(failure.fault)) + " " + std::to_string(failure.line) + ":" +
         std::to_string(failure.column) + " " + failure.message;
}
inline std::string expression(const std::string& code, const std::string& inputs = "{}") {
  return told(run({.kind = Kind::kExpression, .code = code, .inputs = inputs}));
}
inline std::string script(const std::string& code, const std::string& inputs = "{}") {
  return told(run({.kind = Kind::kScript, .code = code, .inputs = inputs}));
}
inline std::string filled(const std::string& text, const std::string& inputs = "{}") {
  return told(run({.kind = Kind::kTemplate, .code = text, .inputs = inputs}));
}

}  // namespace holdfast::sandbox
