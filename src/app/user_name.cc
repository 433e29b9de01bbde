#include "app/user_name.h"

#include <cstdlib>

namespace holdfast::app {

std::string user_name() {
  for (const char* variable : {"USER", "LOGNAME"}) {
    if (const char* value = std::getenv(variable); value != nullptr && *value != '\0') return value;
  }
  return "command line";
}

}  // namespace holdfast::app
