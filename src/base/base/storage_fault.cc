#include "base/storage_fault.h"

#include <string_view>
#include <utility>

namespace holdfast {

namespace {

constexpr std::string_view kFaultDetail = "holdfast/storage-fault";

}  // namespace

StorageFault fault_of(const Status& status) {
  for (const auto& detail : status.details()) {
    if (detail.type_url == kFaultDetail && detail.value.size() == 1)
      return static_cast<StorageFault>(detail.value[0]);
  }
  return StorageFault::kNone;
}

Status with_fault(Code code, StorageFault fault, std::string message) {
  return Status(code, std::move(message))
      .with_detail(std::string(kFaultDetail), std::string(1, static_cast<char>(fault)));
}

}  // namespace holdfast
