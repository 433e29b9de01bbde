#include "app/ports.h"

#include <fmt/format.h>

#include "app/output.h"

namespace holdfast::app {

Result<std::string> listen_on(const std::optional<std::string>& asked, int default_port,
                              std::string_view flag,
                              const std::function<Result<std::string>(const std::string&)>& listen) {
  if (asked) {
    Result<std::string> bound = listen(*asked);
    if (!bound && bound.error().code() == Code::kUnavailable) {
      return fail(Code::kUnavailable,
                  fmt::format("{}: {} (port 0: any free one)", flag, bound.error().message()));
    }
    return bound;
  }
  for (int port = default_port; port < default_port + kPortsTried; ++port) {
    Result<std::string> bound = listen(fmt::format("127.0.0.1:{}", port));
    if (bound && port != default_port) {
      complain(
          fmt::format("port {} is in use, so {} took the next free one: {}", default_port, flag, *bound));
    }
    if (bound || bound.error().code() != Code::kUnavailable) return bound;
  }
  return fail(Code::kUnavailable, fmt::format("no free port from {} to {}; choose one with {}", default_port,
                                              default_port + kPortsTried - 1, flag));
}

}  // namespace holdfast::app
