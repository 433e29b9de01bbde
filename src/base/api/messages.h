#pragma once

// Every generated Temporal message, in one header, precompiled by the modules that ask for it: parsing these
// headers costs seconds, loading them precompiled does not. `pb` shortens the names without hiding where they
// come from.

#include <google/protobuf/message.h>
#include <google/protobuf/util/time_util.h>

#include "temporal/api/command/v1/message.pb.h"
#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/common.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"
#include "temporal/api/enums/v1/query.pb.h"
#include "temporal/api/enums/v1/task_queue.pb.h"
#include "temporal/api/enums/v1/update.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/namespace/v1/message.pb.h"
#include "temporal/api/protocol/v1/message.pb.h"
#include "temporal/api/query/v1/message.pb.h"
#include "temporal/api/taskqueue/v1/message.pb.h"
#include "temporal/api/update/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace holdfast {

// Temporal's packages under one short name: pb::common::v1::Payload, pb::workflowservice::v1::...,
// pb::enums::v1::...
namespace pb = ::temporal::api;
// WorkflowService's requests and responses.
namespace ws = ::temporal::api::workflowservice::v1;
namespace enums = ::temporal::api::enums::v1;

}  // namespace holdfast
