#pragma once

// What the broker and the first process of a sandbox say over their packet socket: one packet each way. The
// first process says Hello once; then it is asked for new processes and to end them. It never runs what users
// wrote, and never reads what those who do have said.

#include <cstdint>

namespace holdfast::sandbox {

inline constexpr std::uint32_t kHelloMark = 0x48465342;

struct Hello {
  std::uint32_t mark = kHelloMark;
  std::uint32_t ready = 0;     // 0: it is not shut in as asked, and `why` says what is missing
  std::uint32_t landlock = 0;  // version of the kernel's Landlock; 0: none
  char why[256] = {};
};

struct Ask {
  enum What : std::uint32_t {
    kNew = 1,  // a process that has run nothing; with the answer comes its socket
    kEnd,      // `pid` is ended, if it has not ended itself
  };
  std::uint32_t what = kNew;
  std::int32_t pid = 0;
};

struct Answer {
  std::int32_t pid = 0;     // negative: an error number
  std::int32_t status = 0;  // of kEnd, as waitpid gives it
};

}  // namespace holdfast::sandbox
