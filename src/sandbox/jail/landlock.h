#pragma once

// Landlock, by its system calls: Debian 12's C library has no wrapper, and its kernel headers know an older
// version than kernels do.

#include <span>
#include <string>
#include <string_view>

namespace holdfast::sandbox {

// Version of the kernel's Landlock; 0: none.
int landlock_version();

// From here on this process and what it forks opens, makes, runs and removes no file, and, as far as the
// kernel's version goes, binds and connects no TCP, talks to no abstract socket and signals nobody outside.
// 0, or an error number.
int landlock_all();

// The same with exceptions, as a file that landlock_enter puts on: `readable` files and folders are read and
// run, and in `writable` (empty: nowhere) files are made, too. Negative: an error number.
int landlock_ruleset(std::span<const std::string_view> readable, const std::string& writable);
int landlock_enter(int ruleset);

}  // namespace holdfast::sandbox
