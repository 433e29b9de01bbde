#pragma once

// Gives a set of workers everything an agent run needs. The agent is an ordinary workflow with ordinary
// activities on the public SDK: nothing here knows which engine is below.

#include <memory>

#include "holdfast/seams.h"
#include "holdfast/worker.h"
#include "model/client.h"
#include "net/http_client.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "protocol/names.h"
#include "protocol/run.h"

namespace holdfast::agent {

using namespace protocol;

// What activities use; all of it outlives the workers.
struct Deps {
  platform::Store* store = nullptr;
  platform::Streams* streams = nullptr;
  net::HttpClient* http = nullptr;
  const Clock* clock = nullptr;
  // Model keys by name; environment_secrets() in the product.
  model::Secrets secrets;
  // Variables that definitions name as ${NAME}; getenv in the product.
  const char* (*environment)(const char* name) = nullptr;
};

// Workers, or a Replayer for all three.
struct Workers {
  Registry* agents = nullptr;  // on kAgentQueue
  Registry* models = nullptr;  // on kModelQueue: its activity slots bound the model calls under way
  Registry* tools = nullptr;   // on kToolQueue
};

// Before the workers start.
void register_all(const Workers& workers, const Deps& deps);

}  // namespace holdfast::agent