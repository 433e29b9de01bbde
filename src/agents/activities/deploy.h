#pragma once

// A definition becomes the current version of its agent. Touches the store it is given and nothing else; any
// thread.

#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::agent {

struct Deployed {
  Deployed() = default;
  std::string name;
  std::string version;   // hex sha256 of the canonical JSON: what RunInput::version takes
  bool created = false;  // false: the very same version was there and is current
};

// Checks the text and makes it the current version of its agent. The store keeps the canonical JSON. Paths in
// it start from `base_directory`; without one a relative path is INVALID_ARGUMENT.
Result<Deployed> deploy(platform::Store& store, std::string_view text, std::string_view source,
                        std::string_view base_directory = {});

}  // namespace holdfast::agent
