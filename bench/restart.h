#pragma once

// W6, W7 and the idle server: measurements that need a server of their own, which they start, load, kill and
// start again.

#include <string>
#include <vector>

#include "report.h"

namespace holdfast::bench {

struct RestartOptions {
  std::vector<std::string> command;  // of the server; must serve `address` and keep its data between runs
  std::string address;
  std::string ns = "default";
  std::string log = "/dev/null";
  int open_runs = 1000;
  int held_runs = 10;
  int kills = 3;
};

void restart(const RestartOptions& options, Report& report);

}  // namespace holdfast::bench
