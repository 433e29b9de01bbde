#pragma once

// The messages of temporal.api.operatorservice.v1.OperatorService, apart from the others (api/messages.h):
// hardly anybody needs them.

#include "temporal/api/operatorservice/v1/request_response.pb.h"

namespace holdfast {

namespace ops = ::temporal::api::operatorservice::v1;

}  // namespace holdfast
