#pragma once

// HF_CHECK guards our own invariants and stays on in every build: a broken one stops the process before it
// can write a wrong record. Never use it on bytes, requests or anything a user supplies: those get a Status.

namespace holdfast {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define HF_CHECK(condition)                                                     \
  do {                                                                          \
    if (!(condition)) ::holdfast::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
