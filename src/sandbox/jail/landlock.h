#pragma once

// Landlock, by its system calls: Debian 12's C library has no wrapper, and its kernel headers know an older
// version than kernels do.

namespace holdfast::sandbox {

// Version of the kernel's Landlock; 0: none.
int landlock_version();

// From here on this process and what it forks opens, makes, runs and removes no file, and, as far as the
// kernel's version goes, binds and connects no TCP, talks to no abstract socket and signals nobody outside.
// 0, or an error number.
int landlock_all();

}  // namespace holdfast::sandbox
