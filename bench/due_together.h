#pragma once

// W8: timers that are due in one moment, and what other calls notice of it. Starts a server of its own.

#include <string>
#include <vector>

#include "report.h"

namespace holdfast::bench {

struct DueTogetherOptions {
  std::vector<std::string> command;  // of the server; must serve `address`
  std::string address;
  std::string ns = "default";
  std::string log = "/dev/null";
  int timers = 100'000;
  double most_ms = 20;  // of which 999 calls in 1,000 may take no more
};

void due_together(const DueTogetherOptions& options, Report& report);

}  // namespace holdfast::bench
