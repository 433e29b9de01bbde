#pragma once

// SecretSource: where the values of named secrets come from, for what was granted `secret:NAME`. Any thread;
// calls may block.

#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::grant {

class SecretSource {
 public:
  virtual ~SecretSource() = default;

  // As it is now. A failure names the secret and what to do.
  virtual Result<std::string> use(const std::string& name) = 0;
  // All that it was since this process began: what texts may hold.
  virtual std::vector<std::string> values(const std::string& name) const = 0;
  // Another number whenever values() may say something else.
  virtual std::uint64_t changes() const = 0;
};

}  // namespace holdfast::grant
