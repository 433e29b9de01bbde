#include "sqlite/heap_limit.h"

#include <sqlite3.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast::sqlite {

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

thread_local HeapLimit* of_this_thread = nullptr;

// SQLite's own, under ours.
sqlite3_mem_methods own;

std::size_t size_of(void* memory) {
  return static_cast<std::size_t>(own.xSize(memory));
}

void* allocate(int bytes) {
  HeapLimit* limit = of_this_thread;
  if (limit != nullptr && !limit->take(static_cast<std::size_t>(own.xRoundup(bytes)))) return nullptr;
  void* memory = own.xMalloc(bytes);
  if (memory == nullptr && limit != nullptr) limit->give_back(static_cast<std::size_t>(own.xRoundup(bytes)));
  return memory;
}

void release(void* memory) {
  if (of_this_thread != nullptr && memory != nullptr) of_this_thread->give_back(size_of(memory));
  own.xFree(memory);
}

void* change(void* memory, int bytes) {
  HeapLimit* limit = of_this_thread;
  if (limit == nullptr) return own.xRealloc(memory, bytes);
  const std::size_t before = size_of(memory);
  const auto after = static_cast<std::size_t>(own.xRoundup(bytes));
  if (after > before && !limit->take(after - before)) return nullptr;
  void* changed = own.xRealloc(memory, bytes);
  if (changed == nullptr && after > before) limit->give_back(after - before);
  if (changed != nullptr && after < before) limit->give_back(before - after);
  return changed;
}

bool install() {
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &own) != SQLITE_OK) return false;
  sqlite3_mem_methods ours = own;
  ours.xMalloc = allocate;
  ours.xFree = release;
  ours.xRealloc = change;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK;
}

// Before main(): whoever registers a file system of his own makes SQLite ready, and then it is too late.
const bool kInstalled = install();

}  // namespace

HeapLimit::HeapLimit(std::size_t limit_bytes, MemoryBudget& budget) : limit_(limit_bytes), held_(budget) {
  HF_CHECK(of_this_thread == nullptr);
  of_this_thread = this;
}

HeapLimit::~HeapLimit() {
  of_this_thread = nullptr;
}

bool HeapLimit::take(std::size_t bytes) {
  if (bytes > limit_ - std::min(limit_, used_)) {
    reached_ = true;
    return false;
  }
  const std::size_t pieces = (used_ + bytes + kPieceBytes - 1) / kPieceBytes * kPieceBytes;
  if (pieces > held_.bytes() && !held_.resize(pieces).ok()) return false;
  used_ += bytes;
  return true;
}

// What was taken before the limit began may come back in it.
void HeapLimit::give_back(std::size_t bytes) {
  used_ -= std::min(used_, bytes);
}

void watch_heap() {
  HF_CHECK(kInstalled);
}

}  // namespace holdfast::sqlite
