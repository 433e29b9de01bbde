#include "os/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace holdfast::os {

std::size_t allow_open_files(std::size_t most) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;  // what every system gives
  if (limit.rlim_cur < most && limit.rlim_cur < limit.rlim_max) {
    rlimit more{std::min<rlim_t>(most, limit.rlim_max), limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &more) == 0) limit = more;
  }
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, most));
}

}  // namespace holdfast::os
