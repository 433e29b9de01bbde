#pragma once

// HeapLimit: how much memory SQLite may hold for what this thread does while the object lives: values, rows
// that are sorted, pages of the connection. SQLite has limits of its own, for the whole process, which would
// let one careless statement end the writes of everybody else. What does not fit is "out of memory" for its
// statement alone; reached() says that it was this.
//
// On the stack of whoever opens a database, uses it and closes it, all on one thread; not nested. A
// connection may outlive it: used() is then what that one holds, for the next limit to begin with. It also
// draws on a budget, in pieces, so that all such users together stay within it.

#include <cstddef>

#include "base/memory_budget.h"

namespace holdfast::sqlite {

class HeapLimit {
 public:
  HeapLimit(std::size_t limit_bytes, MemoryBudget& budget);
  ~HeapLimit();
  HeapLimit(const HeapLimit&) = delete;
  HeapLimit& operator=(const HeapLimit&) = delete;

  // The limit was in the way; not the budget, which others may give back to.
  bool reached() const { return reached_; }

  std::size_t used() const { return used_; }
  // A connection that was opened before holds so much, which counts from now on.
  void take_over(std::size_t bytes) { used_ += bytes; }

  // For the allocator. False: no.
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes);

 private:
  const std::size_t limit_;
  HeldMemory held_;
  std::size_t used_ = 0;
  bool reached_ = false;
};

// That SQLite asks: it does since before main(), in each program that opens a database.
void watch_heap();

}  // namespace holdfast::sqlite
