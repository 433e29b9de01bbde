#pragma once

// What whoever lets a start in adds to the settings of the run, whichever protocol asked for it: the trace that the
// request is part of, and who asks, where a rule of the agent wants somebody else to approve.

#include <nlohmann/json.hpp>
#include <string>

#include "platform/store.h"

namespace holdfast::runs {

struct Asker {
  std::string name;         // of the credential; empty: nobody knows
  std::string traceparent;  // headers of the request (W3C Trace Context); empty: it had none
  std::string tracestate;
};

// Blocks as the store does; any thread.
void put_asker(nlohmann::json& settings, platform::Store& store, const platform::StartIntent& intent,
               const Asker& asker);

}  // namespace holdfast::runs
