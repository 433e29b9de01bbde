#include "base/job_barrier.h"

#include <cstdio>
#include <exception>

namespace holdfast {

namespace {

void tell(std::string_view whose, const char* what) {
  std::fprintf(stderr, "holdfast: a job of %.*s failed: %s\n", static_cast<int>(whose.size()), whose.data(),
               what);
}

}  // namespace

void run_job(Executor::Job job, std::string_view whose) noexcept {
  try {
    job();
  } catch (const std::exception& error) {
    tell(whose, error.what());
  } catch (...) {
    tell(whose, "it threw what is no std::exception");
  }
}

}  // namespace holdfast
