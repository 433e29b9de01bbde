#pragma once

// What /metrics says of the task queues of our workers: how many tasks wait, since when, how many pollers
// there are. Asked of whichever engine there is, ours or a Temporal server. Blocks, for a second at most.

#include <string>

#include "api/connection.h"
#include "metrics/registry.h"

namespace holdfast::app {

void read_queues(metrics::Reading& out, api::Connection& connection, const std::string& namespace_name);

}  // namespace holdfast::app
