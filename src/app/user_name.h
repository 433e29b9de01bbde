#pragma once

// Who runs a command, as decisions and moves of labels are signed with: $USER, $LOGNAME, else "command line".

#include <string>

namespace holdfast::app {

std::string user_name();

}  // namespace holdfast::app
