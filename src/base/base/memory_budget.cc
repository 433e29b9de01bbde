#include "base/memory_budget.h"

#include "base/check.h"

namespace holdfast {

MemoryBudget::~MemoryBudget() {
  HF_CHECK(used() == 0);
}

Status MemoryBudget::take(std::size_t bytes) {
  std::size_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ - used) {
      return Status(Code::kResourceExhausted, "the memory for " + what_ + " is used up (" +
                                                  std::to_string(used) + " of " + std::to_string(limit_) +
                                                  " bytes, " + std::to_string(bytes) +
                                                  " more were asked for); try again later");
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  if (parent_ == nullptr) return {};
  Status status = parent_->take(bytes);
  if (!status.ok()) used_.fetch_sub(bytes, std::memory_order_relaxed);
  return status;
}

void MemoryBudget::give_back(std::size_t bytes) {
  HF_CHECK(used_.fetch_sub(bytes, std::memory_order_relaxed) >= bytes);
  if (parent_ != nullptr) parent_->give_back(bytes);
}

Status HeldMemory::resize(std::size_t bytes) {
  if (bytes > bytes_) {
    HF_CHECK(budget_ != nullptr);
    if (Status status = budget_->take(bytes - bytes_); !status.ok()) return status;
  } else if (bytes < bytes_) {
    budget_->give_back(bytes_ - bytes);
  }
  bytes_ = bytes;
  return {};
}

void HeldMemory::release() {
  if (bytes_ > 0) budget_->give_back(std::exchange(bytes_, 0));
}

}  // namespace holdfast
