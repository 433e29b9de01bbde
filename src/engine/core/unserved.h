#pragma once

// What a request may ask for and this server does not do. What is accepted has its effect: a field on which
// its sender relies and that would have none is refused here, in words that name it. Nothing that a stock SDK
// sends unasked is among them; request_fields_test.cc says of every field of every request what becomes of
// it. INVALID_ARGUMENT, unless Temporal has another code for it. Pure functions.

#include <string>

#include "api/messages.h"
#include "holdfast/status.h"

namespace holdfast::engine::unserved {

// Of a start, alone or with a signal or an update.
Status in_start(const ws::StartWorkflowExecutionRequest& request);
Status in_update(const pb::update::v1::Request& request);
Status in_completion(const ws::RespondWorkflowTaskCompletedRequest& request);
// `cluster_name`: the one cluster that there is.
Status in_registration(const ws::RegisterNamespaceRequest& request, const std::string& cluster_name);
Status in_namespace_update(const ws::UpdateNamespaceRequest& request, const std::string& cluster_name);

// A value of an enum that this protocol does not have: of what a client asks for, no default stands for it.
Status unknown_value(const char* field, int value);

// A worker that wants only tasks of its own version.
Status versioned_worker();
template <typename PollRequest>
Status in_poll(const PollRequest& request) {
  const bool versioned =
      request.deployment_options().worker_versioning_mode() == enums::WORKER_VERSIONING_MODE_VERSIONED ||
      request.worker_version_capabilities().use_versioning();
  return versioned ? versioned_worker() : Status();
}

}  // namespace holdfast::engine::unserved
