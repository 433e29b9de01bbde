#pragma once

// The command that shows a trace, as plain values; see app/commands.h.

#include <string>

#include "app/commands.h"

namespace holdfast::app {

struct TraceOptions {
  ApiOptions api;
  std::string run;
};
int print_trace(const TraceOptions& options);

}  // namespace holdfast::app
