#pragma once

// What the running server answers on its control socket (app/control_socket.h). Any thread.

#include <string>

#include "app/backup.h"

namespace holdfast::app {

// A line of JSON for a line of JSON: {"backup": "/absolute/folder"}.
std::string answer_control(const std::string& question, const BackupSources& sources,
                           const archive::GiveUp& give_up);

}  // namespace holdfast::app
