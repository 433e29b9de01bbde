#pragma once

// What every process of a sandbox gives up, whatever it runs. Each is one way.

#include <sys/resource.h>

#include <string>

namespace holdfast::sandbox {

// "setrlimit: Operation not permitted"
std::string failed(const char* what, int error);
bool limit(__rlimit_resource what, rlim_t most);
// Where it is root. Empty, or what failed.
std::string become_nobody();

}  // namespace holdfast::sandbox
