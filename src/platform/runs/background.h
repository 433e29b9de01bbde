#pragma once

// Background: what work beside the requests uses. All of it outlives the work.

#include <functional>
#include <string_view>

#include "holdfast/client.h"
#include "holdfast/seams.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "protocol/decision.h"
#include "runs/after.h"

namespace holdfast::runs {

struct Background {
  const Client* client = nullptr;
  platform::Store* store = nullptr;
  platform::Streams* streams = nullptr;
  const Clock* clock = nullptr;
  Executor* executor = nullptr;  // may block
  After after;
  // Of a decision that is sent now. None: nobody signs.
  std::function<void(protocol::Decision&)> sign;
  std::function<void(std::string_view)> log;
};

}  // namespace holdfast::runs
