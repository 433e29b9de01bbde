#pragma once

// One activity that runs blocks, while it does. Internal to the room.

#include <map>
#include <string>
#include <vector>

#include "perform/flow_activities.h"

namespace holdfast::flows {

struct FlowActivities::OneActivity {
  activity::Context& ctx;
  const Program& program;
  const std::string& version;
  BlockBooks books;
  std::vector<std::string> outlets;           // by block; empty: not known here
  std::map<std::size_t, std::string> values;  // JSON, of those that ran or were read here
};

}  // namespace holdfast::flows
