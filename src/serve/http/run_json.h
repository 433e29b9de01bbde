#pragma once

// Runs as the API writes them. Internal to the module; pure.

#include <string>

#include "http/json_reply.h"
#include "runs/runs.h"

namespace holdfast::http {

Json started_json(const runs::StartedRun& started);
Json summary_json(const runs::RunSummary& summary);
Json details_json(const runs::RunDetails& details, const std::string& namespace_name);

}  // namespace holdfast::http
