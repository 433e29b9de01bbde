#pragma once

// MemoryBudget: how many bytes the process holds for others at one time: bodies that arrive, calls that wait,
// replies that are not read. A buffer takes its bytes before it grows and gives them back when it goes; what
// is refused has a typed answer. Budgets form a tree: a share has a limit of its own and draws on its
// parent's, so that one kind of load cannot starve the others.
//
// Thread-safe, without locks. A budget outlives its shares and what was taken from it.

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>

#include "holdfast/status.h"

namespace holdfast {

class MemoryBudget {
 public:
  // `what` names the bytes in errors: "request bodies".
  MemoryBudget(std::string what, std::size_t limit_bytes, MemoryBudget* parent = nullptr)
      : what_(std::move(what)), limit_(limit_bytes), parent_(parent) {}
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // RESOURCE_EXHAUSTED names the budget that is short; then nothing is taken.
  Status take(std::size_t bytes);
  void give_back(std::size_t bytes);

  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t limit() const { return limit_; }
  const std::string& what() const { return what_; }

 private:
  const std::string what_;
  const std::size_t limit_;
  MemoryBudget* const parent_;
  std::atomic<std::size_t> used_ = 0;
};

// Bytes that were taken from a budget; gives them back when it goes. One thread at a time.
class HeldMemory {
 public:
  HeldMemory() = default;  // holds nothing and can hold nothing
  explicit HeldMemory(MemoryBudget& budget) : budget_(&budget) {}
  ~HeldMemory() { release(); }
  HeldMemory(HeldMemory&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  HeldMemory& operator=(HeldMemory&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::exchange(other.budget_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }

  // Holds `bytes` from now on, more or fewer than before. After an error it holds what it did.
  Status resize(std::size_t bytes);
  std::size_t bytes() const { return bytes_; }

 private:
  void release();

  MemoryBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace holdfast
