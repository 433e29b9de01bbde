#pragma once

// What the deletion of very many closed runs does to those who are served beside it, and what it leaves: the
// server's memory and its disk. In a namespace of its own, whose retention is cut to a second when its runs
// are there; the live load is in another.

#include <sys/types.h>

#include <chrono>
#include <string>

#include "report.h"

namespace holdfast::bench {

struct RetentionOptions {
  std::string address;
  std::string live_ns = "default";
  std::string data;  // the server's data directory
  pid_t server_pid = 0;
  int runs = 0;                                                   // closed runs of ten steps
  std::chrono::milliseconds at_most = std::chrono::seconds(600);  // for making them, and for deleting them
};

void retention(const RetentionOptions& options, Report& report);

}  // namespace holdfast::bench
