#include "runs/run_fault.h"

#include <string_view>
#include <utility>

namespace holdfast::runs {

namespace {

constexpr std::string_view kFaultDetail = "holdfast/run-fault";

}  // namespace

RunFault run_fault(const Status& status) {
  for (const auto& detail : status.details()) {
    if (detail.type_url == kFaultDetail && detail.value.size() == 1)
      return static_cast<RunFault>(detail.value[0]);
  }
  return RunFault::kNone;
}

Status with_fault(Code code, RunFault fault, std::string message) {
  return Status(code, std::move(message))
      .with_detail(std::string(kFaultDetail), std::string(1, static_cast<char>(fault)));
}

}  // namespace holdfast::runs
